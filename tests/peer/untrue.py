#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The server of specified.py, but for what a file says.

    untrue.py SOCKET COUNTS LIES

LIES is a file, read for each answer, of lines

    ROUTE NAME [VALUE]

that change the answers of ROUTE ("file/info"): NAME is a member of data, or, with
a dot in front, of the whole; VALUE is JSON; without one the member is left out.
VALUE may be an expression of "was", which is what the server said, after a "=".
"""
import json
import sys

import specified

LIES = sys.argv[3]
respond = specified.respond


def change(answer, name, value):
    where = answer["data"]
    if name[0] == ".":
        where, name = answer, name[1:]
    if not value:
        where.pop(name, None)
    elif value[0] == "=":
        where[name] = eval(value[1:], {"was": where.get(name)})
    else:
        where[name] = json.loads(value)


def lying(method, target, fields, body):
    status, answer = respond(method, target, fields, body)
    with open(LIES, encoding="utf-8") as lies:
        for line in lies:
            route, name, *value = line.split(maxsplit=2)
            if target.split("?")[0] == "/api/v1/" + route:
                change(answer, name, value[0].strip() if value else "")
    return status, answer


specified.respond = lying
specified.WAY = "skips"
specified.main()
