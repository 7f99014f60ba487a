# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for vsrpc-virsh(1).  Commands and options come from the
# program itself, domains from virsh; whatever cannot be asked is left out.

# _vsrpc_virsh_has WORD LINES: is the word one of the lines?
_vsrpc_virsh_has()
{
    local line

    for line in $2; do
        [[ $line == "$1" ]] && return 0
    done
    return 1
}

_vsrpc_virsh_uri()
{
    local i

    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -c | --connect) printf '%s\n' "${COMP_WORDS[i + 1]}" ;;
        esac
    done
}

_vsrpc_virsh_domains()
{
    local uri

    uri=$(_vsrpc_virsh_uri)
    virsh --quiet --readonly ${uri:+--connect "$uri"} list --name 2>/dev/null
}

# Counts the operands before the word that is completed, and finds the command.
# Sets: operands, command, behind (the command's own operands).
_vsrpc_virsh_operands()
{
    local commands=$1 i

    operands=0
    command=
    behind=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -c | --connect | --channel | --socket | --config | --timeout | \
            --wait-lock | --parallel | --log | --transport | --checksum | \
            --limit-rate) ((i++)) ;;
        -*) ;;
        *)
            ((operands++))
            if [[ -n $command ]]; then
                behind+=("${COMP_WORDS[i]}")
            elif _vsrpc_virsh_has "${COMP_WORDS[i]}" "$commands"; then
                command=${COMP_WORDS[i]}
            fi
            ;;
        esac
    done
}

# What may follow a job's id, which the guest would have to be asked for.
_vsrpc_virsh_job()
{
    case ${#behind[@]},${behind[1]} in
    1,*) echo output signal wait remove ;;
    2,signal) compgen -A signal SIG ;;
    2,output) echo --follow ;;
    esac
}

_vsrpc_virsh()
{
    local program=$1 word=$2 previous=$3
    local commands options operands command behind

    COMPREPLY=()
    commands=$("$program" --list-commands 2>/dev/null)
    # "--option VALUE" on a line: only the option is completed.
    options=$("$program" --list-options 2>/dev/null)
    _vsrpc_virsh_operands "$commands"
    # Those of a command have its name in front.
    if [[ -n $command ]]; then
        options=$(sed -n "s/^$command \(--[^ =]*\).*/\1/p" <<<"$options")
    else
        options=$(sed -n 's/^\(--[^ =]*\).*/\1/p' <<<"$options")
    fi
    case $previous in
    --socket | --config | --log)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --transport)
        mapfile -t COMPREPLY < <(compgen -W "auto socket stream" -- "$word")
        return
        ;;
    --checksum)
        mapfile -t COMPREPLY < <(compgen -W "md5 sha256 none" -- "$word")
        return
        ;;
    -c | --connect | --channel | --timeout | --wait-lock | --parallel | \
        --limit-rate) return ;;
    esac
    if [[ $word == -* && (-n $command || $operands -eq 0) ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    elif [[ -n $command ]]; then
        # Local files for both copies; the guest's cannot be asked quickly.
        case $command in
        help) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word") ;;
        call)
            mapfile -t COMPREPLY < <(compgen -W "GET POST PUT DELETE" -- "$word") ;;
        job)
            mapfile -t COMPREPLY < <(compgen -W "$(_vsrpc_virsh_job)" -- "$word") ;;
        service)
            mapfile -t COMPREPLY < <(compgen -W \
                "start stop restart reload status is-active is-enabled enable disable" -- "$word") ;;
        upload | download) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
        esac
    elif ((operands == 0)); then
        mapfile -t COMPREPLY < <(
            compgen -W "$(_vsrpc_virsh_domains) $commands" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
    fi
}

complete -o default -F _vsrpc_virsh vsrpc-virsh
