#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nothing is left out: neither a call of the agent nor a part of the test.

    complete.py LOCAL_MK OBJECT...

Looks up what the objects and archives want from libraries: each name is either
wrapped (--wrap in LOCAL_MK) or stands below.  So a call that the agent did not
make before is noticed here, and its author decides.
"""
import re
import subprocess
import sys

sys.dont_write_bytecode = True # the sources may be read-only
import faults # noqa: E402

# Why a function is not made to fail.
REASONS = {
    "it computes, or cannot fail": """
        CRYPTO_memcmp EVP_DecodeBlock EVP_EncodeBlock EVP_DigestFinal_ex EVP_DigestUpdate EVP_md5 EVP_sha256
        clock_gettime OPENSSL_cleanse fnmatch getopt_long gmtime_r localtime_r memchr memcmp memcpy memmem memmove memset
        nanosleep qsort snprintf sscanf strcasecmp strchr strcmp strcpy strcspn strerror strftime strlen strncasecmp
        strncmp strncpy strnlen strpbrk strrchr strspn strstr strtod strtol strtoll strtoul strtoull time vsnprintf
        sigaddset sigemptyset umask getpid getegid geteuid mallopt dirfd rewinddir isatty sync""",
    "it reads or changes JSON that is there": """
        json_object_array_get_idx json_object_array_length json_object_get json_object_get_boolean
        json_object_get_double json_object_get_int json_object_get_int64 json_object_get_object
        json_object_get_string json_object_get_string_len json_object_get_uint64 json_object_get_userdata
        json_object_is_type json_object_object_get json_object_object_get_ex json_object_object_length json_object_put
        json_object_set_serializer json_object_set_userdata json_tokener_error_desc json_tokener_free json_tokener_get_error
        json_tokener_get_parse_end json_tokener_set_flags""",
    "it is the library's own memory that is short, as for a wrong text": """
        json_tokener_parse_ex yaml_parser_load""",
    "it reads the document that yaml_parser_load() has made": """
        yaml_document_delete yaml_document_get_node yaml_document_get_root_node yaml_parser_delete
        yaml_parser_set_input_file""",
    "it gives back": "EVP_MD_CTX_free close closedir endmntent fclose free munmap",
    "it asks, and who asks is answered or told that nothing is there": """
        access fstat fstatat getgroups getloadavg getmntent getmntent_r getpgid lstat readlink readlinkat stat
        statvfs sysconf uname fscanf fgets getline""",
    "it says no more than that the list is too short for the groups": "getgrouplist",
    "it tells no error: that it was done is asked behind it, and where it was not back, there is no going on": """
        setfsgid setfsuid abort""",
    "it prints": "ferror fflush fprintf fputs fwrite printf putchar puts fputc",
    "it is about a descriptor or a process that is there": """
        connect inotify_add_watch ioctl kill listen prctl setsid signal sigprocmask tcgetattr tcgetpgrp tcsetattr""",
    "it ends the process, or is no function": "_exit errno_location optarg opterr optind stderr stdout environ",
}

# What compilers, sanitizers and coverage put in.
TOOLS = re.compile(r"__(asan|ubsan|lsan|sanitizer|gcov|stack_chk|start_|stop_)|_GLOBAL_OFFSET_TABLE_$|__tls_get_addr$")


def plain(name):
    """The name in the source, of which headers make another one."""
    name = re.sub(r"^__isoc\d+_", "", name)
    name = re.sub(r"^__(.+)_chk$", r"\1", name)
    name = re.sub(r"^__(open|openat)(64)?_2$", r"\1", name)
    name = re.sub(r"^__(errno_location|environ)$", r"\1", name)
    return re.sub(r"64(_time64)?$", "", name)


def symbols(objects):
    """Return: what is wanted and not there."""
    wanted, there = set(), set()
    for line in subprocess.check_output(["nm"] + objects, universal_newlines=True).splitlines():
        words = line.split()
        if len(words) < 2 or len(words[-2]) != 1:
            continue
        (wanted if words[-2] in "Uvw" else there).add(words[-1])
    return sorted(name for name in wanted - there if not TOOLS.match(name))


def shards(text):
    """Return: what is wrong with the list of tests."""
    there = {}
    for part, k, n in re.findall(r"tests/faults/(\w+?)(?:-(\d+)-of-(\d+))?\.faults", text):
        there.setdefault(part, []).append((int(k or 1), int(n or 1)))
    wrong = [part for part in faults.PARTS if part not in there]
    return wrong + [part for part, found in there.items()
                    if sorted(found) != [(k + 1, len(found)) for k in range(len(found))]]


def result(number, wrong, words, advice):
    print("%s %d - %s" % ("not ok" if wrong else "ok", number, words))
    for name in wrong:
        print("#   %s: %s" % (name, advice))


def main():
    with open(sys.argv[1]) as file:
        text = file.read()
    wrapped = set(re.findall("--wrap=(\\w+)", text))
    excused = {name: reason for reason, names in REASONS.items() for name in names.split()}
    wanted = symbols(sys.argv[2:])
    # Where off_t has 32 bits, wrap.c does not know the other names.
    forgotten = [name for name in wanted if name not in wrapped and not {name, plain(name)} & set(excused)
                 and not (name.endswith("64") and plain(name) in wrapped)]
    few = [] if len(wanted) > 100 else ["nm"]
    both = sorted(wrapped & set(excused))
    missing = shards(text)
    print("1..4")
    result(1, few, "%d functions of libraries were found" % len(wanted), "shows less than there must be")
    result(2, forgotten, "each is failed by wrap.c, or complete.py says why not",
           "wrap it (wrap.c, local.mk), or give a reason (complete.py)")
    result(3, both, "none is said to be both", "it is wrapped and has a reason not to be")
    result(4, missing, "local.mk has all shards of all parts", "it is not K of N for each K")
    return bool(few or forgotten or both or missing)


sys.exit(main())
