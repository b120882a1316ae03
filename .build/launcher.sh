if ! command -v node >/dev/null 2>&1; then
  echo 'sysg: node was not found on PATH: sysg needs Node.js 20.19 or newer, see https://nodejs.org' >&2
  exit 127
fi

# Node 20 parses the file named here at every start, which takes longer than all the rest. Services get it back.
if [ -n "${NODE_EXTRA_CA_CERTS+set}" ]; then
  export SYSG_NODE_EXTRA_CA_CERTS="$NODE_EXTRA_CA_CERTS"
  unset NODE_EXTRA_CA_CERTS
fi

verb= foreground=yes
for word in "$@"; do
  case $word in
    start|restart) verb=${verb:-$word} ;;
    # The last three ask a running supervisor for a child, whose parent is by default the caller of this process.
    --daemonize|--child|--ttl|--ttl=*|--parent-pid|--parent-pid=*) foreground= ;;
    --) break ;;
  esac
done

# Node raises its soft limit of open files: services get the one that stands now.
case $verb in
  start|restart) export SYSG_NOFILE="$(ulimit -Sn)" ;;
esac

# A supervisor in the foreground takes the place of this process. Descriptor 3 brings its command; nothing is
# said there when there is none to start, and then everything else has been said and done.
if [ "$verb" = start ] && [ -n "$foreground" ]; then
  unset SYSG_GUARDIAN SYSG_AGAIN SYSG_ASKED SYSG_READY_FD SYSG_LIFELINE_FD
  [ $$ -ne 1 ] || listen
  exec 9>&1
  command=$(SYSG_EXEC_FD=3 node -- "$0" "$@" 3>&1 1>&9 9>&-)
  status=$?
  exec 9>&-
  [ -n "$command" ] || exit "$status"
  eval "$command"
  [ $$ -ne 1 ] || guard "$state" "$@"
  exec "$@"
fi

exec node -- "$0" "$@"
