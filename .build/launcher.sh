# Node raises its soft limit of open files to the hard one. With fewer than this it crashes or cannot read its own files, and this shell finds nothing.
newline='
'
limits=$(ulimit -Hn; ulimit -Sn; export -p)
hard=${limits%%"$newline"*} limits=${limits#*"$newline"}
nofile=${limits%%"$newline"*} aside_names=${limits#*"$newline"}
case $hard in ? | [12]? | 3[01])
  echo "sysg: the hard limit of open files (ulimit -Hn) is $hard: sysg needs 32 or more" >&2
  exit 1
esac
case $nofile in ? | [12]? | 3[01]) ulimit -Sn 32 ;; esac

if ! command -v node >/dev/null 2>&1; then
  echo 'sysg: node was not found on PATH: sysg needs Node.js 20.19 or newer, see https://nodejs.org' >&2
  exit 127
fi

# Variables that change how Node or a library in sysg behaves are meant for applications: they are set aside (see
# src/surroundings.ts), and services get them as they were.
case $aside_names in
  *NODE_* | *UV_* | *OPENSSL_CONF* | *LOG_STREAM* | *LOG_TOKENS*)
    set -f
    IFS=$newline
    for aside_name in $aside_names; do
      case $aside_name in 'export '* | 'declare -x '* | 'typeset -x '*) ;; *) continue ;; esac
      aside_name=${aside_name%%=*}
      aside_name=${aside_name##* }
      case $aside_name in
        *[!A-Za-z0-9_]*) ;;
        NODE_* | UV_* | OPENSSL_CONF | LOG_STREAM | LOG_TOKENS)
          eval "[ -z \"\${$aside_name+set}\" ] || export \"SYSG_ASIDE_$aside_name=\$$aside_name\""
          unset "$aside_name"
          ;;
      esac
    done
    set +f
    unset IFS
    ;;
esac
unset SYSG_ENVIRON

verb= foreground=yes
for word in "$@"; do
  case $word in
    start|restart) verb=${verb:-$word} ;;
    up) [ -n "$verb" ] || { verb=start; foreground=; } ;;
    # The last three ask a running supervisor for a child, whose parent is by default the caller of this process.
    --daemonize|--child|--ttl|--ttl=*|--parent-pid|--parent-pid=*) foreground= ;;
    --) break ;;
  esac
done

# Node raises its soft limit of open files: services get the one that stands now. And they get the environment of the
# caller as it was, since this shell has dropped names that it cannot spell and has variables of its own.
case $verb in
  start|restart)
    export SYSG_NOFILE="$nofile"
    if [ -r "/proc/$$/environ" ]; then
      SYSG_ENVIRON=$(base64 -w 0 <"/proc/$$/environ" 2>/dev/null)
      if [ -n "$SYSG_ENVIRON" ] && [ "${#SYSG_ENVIRON}" -lt 100000 ]; then export SYSG_ENVIRON; else unset SYSG_ENVIRON; fi
    fi
    ;;
esac

# A supervisor in the foreground takes the place of this process. Descriptor 3 brings its command; nothing is
# said there when there is none to start, and then everything else has been said and done.
if [ "$verb" = start ] && [ -n "$foreground" ]; then
  unset SYSG_GUARDIAN SYSG_AGAIN SYSG_ASKED SYSG_READY_FD SYSG_LIFELINE_FD SYSG_NOHUP
  [ $$ -ne 1 ] || listen
  # A caller may have closed it. Node.js opens /dev/null in that place by itself.
  { true 9>&1; } 2>/dev/null || exec >/dev/null
  exec 9>&1
  command=$(SYSG_EXEC_FD=3 node -- "$0" "$@" 3>&1 1>&9 9>&-)
  status=$?
  exec 9>&-
  [ -n "$command" ] || exit "$status"
  eval "$command"
  [ $$ -ne 1 ] || { exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&-; guard "$state" "$@"; }
  exec "$@"
fi

exec node -- "$0" "$@"
