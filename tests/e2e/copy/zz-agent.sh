#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The last of its folder: what the others have left of the agent.
# shellcheck source=../agent-idle.sh
. "$(dirname "$0")/../agent-idle.sh"
