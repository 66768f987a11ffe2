"""Completion for shells."""

from __future__ import annotations

from pooltrust.api.cli.command import command
from pooltrust.api.cli.seat import Seat
from pooltrust.api.cli.wire.words import Fault

BASH = r"""# bash completion for xe: eval "$(xe completion shell=bash)"
_xe() {
    local word=${COMP_WORDS[COMP_CWORD]} verb= options=() at value class
    # What names the host and the user goes along; bash parts words at = and :.
    COMP_WORDBREAKS=${COMP_WORDBREAKS//[=:]/}
    for ((at = 1; at < COMP_CWORD; at++)); do
        value=${COMP_WORDS[at]}
        case $value in
            -s | -p | -u | -pw | -pwf | --socket) options+=("$value" "${COMP_WORDS[++at]}") ;;
            -*) ;;
            *) [ -n "$verb" ] || verb=$value ;;
        esac
    done
    _xe_ask() { xe "${options[@]}" "$@" 2>/dev/null </dev/null; }
    if [ -z "$verb" ]; then
        COMPREPLY=($(compgen -W "$(_xe_ask help --minimal --all | tr , ' ')" -- "$word"))
        return
    fi
    case $word in
        *=*)
            local key=${word%%=*} part=${word#*=}
            class=${verb%%-*}
            case $key in
                uuid | *-uuid) value=uuid; [ "$key" = uuid ] || class=${key%-uuid} ;;
                host) value=name-label class=host ;;
                params | param-name)
                    COMPREPLY=($(compgen -P "$key=" -W "$(_xe_ask "$class-list" params=all |
                        sed -n 's/^ *\([^ ]*\) (.*/\1/p' | sort -u)" -- "$part"))
                    return
                    ;;
                filename | certificate | private-key | certificate-chain)
                    COMPREPLY=($(compgen -P "$key=" -f -- "$part"))
                    return
                    ;;
                *) value=$key ;;
            esac
            COMPREPLY=($(compgen -P "$key=" -W "$(_xe_ask "$class-list" --minimal \
                "params=$value" | tr , '\n')" -- "$part"))
            ;;
        *)
            COMPREPLY=($(compgen -S = -W "$(_xe_ask help "$verb" |
                sed -n 's/^ *\(reqd\|optional\) params *: //p' | tr -d '<>,')" -- "$word"))
            compopt -o nospace
            ;;
    esac
}
complete -F _xe xe
"""
ZSH = (
    '# zsh completion for xe: eval "$(xe completion shell=zsh)"\n'
    "autoload -U +X bashcompinit && bashcompinit\n" + BASH.partition("\n")[2]
)


@command("completion", required=("shell",), free=True, plain=True)
async def completion(seat: Seat) -> None:
    """Print what completes commands, parameters and values: for shell=bash or shell=zsh."""
    scripts = {"bash": BASH, "zsh": ZSH}
    shell = seat.words.require("shell")
    if shell not in scripts:
        raise Fault(f"There is no completion for {shell}; there is for bash and zsh")
    await seat.terminal.bare(scripts[shell])
