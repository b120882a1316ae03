# Keeps a supervisor running: starts it, starts it again when it dies, hands signals on and ends with its exit code.
# As process 1 it also reaps orphans, which every `wait` below does.
#
#   guard <state directory> <command> [argument]...
#
# The command says that it ends in order by sending URG to this shell just before it exits: a signal needs no directory, which
# somebody may remove, and no space on a disk. Its exit code is also in the file named in SYSG_GUARDIAN, since not every shell
# knows the status of a command that ended while a signal came. Any other end is a death, whatever its exit code. It is then
# started again at once, but never twice within a second. One that was asked to end and died of it gets SYSG_ASKED=TERM in its
# environment: to clean up and end. SYSG_READY_FD=3 says that descriptor 3 wants to hear of the first start; it is closed for
# later ones. SYSG_AGAIN=1 says that another one went before.

asked= child= ordered= status=0

listen() {
  # Linux alone has PWR, STKFLT (16, whose name not every shell knows), IO (29) and the real-time signals.
  if (trap : PWR) 2>/dev/null; then
    trap : 16 29
    rt=34
    while [ $rt -le 64 ]; do trap : $rt; rt=$((rt + 1)); done
    trap 'hand_on TERM' PWR
  fi
  # An asynchronous command of a shell ignores INT until it handles it itself, so it is sent TERM, which means the same.
  # A second one is sent on as what it is: the daemon has been asked before, so it handles it.
  trap 'if [ -z "$asked" ]; then hand_on TERM; else hand_on INT; fi' INT
  trap 'hand_on TERM' TERM QUIT
  trap 'hand_on HUP' HUP
  trap 'hand_on USR1' USR1
  # Any other one would leave the daemon without a guardian.
  trap : USR2 ALRM PIPE VTALRM PROF XCPU XFSZ
  trap 'ordered=yes' URG
}

hand_on() {
  [ "$1" != TERM ] || asked=TERM
  [ -n "$child" ] || return 0
  while is_still_shell "$child"; do command eval 'sleep 0.01 || sleep 1'; done </dev/null >/dev/null 2>&1
  kill -s "$1" "$child" 2>/dev/null
}

# Whether a child of this shell has not become its command yet. A signal at that time is lost: the child has inherited
# the handler, notes the signal, and then forgets the trap.
is_still_shell() {
  own= its=
  { read -r own <"/proc/$$/cmdline"; read -r its <"/proc/$1/cmdline"; } 2>/dev/null
  [ -n "$its" ] && [ "$its" = "$own" ]
}

# A signal ends `wait` early: only a process that is gone has ended. 127 is a process that this shell does not know.
await() {
  while :; do
    wait "$1"
    status=$?
    [ "$status" -ne 127 ] && kill -0 "$1" 2>/dev/null || return 0
  done
}

# Where no process is to be had a shell ends, but for what `command` has run; bash tries for 15 s before. The guardian goes on trying.
start_pause() {
  command eval 'sleep 1 </dev/null >/dev/null 2>&1 3>&- &'
}

guard() {
  SYSG_GUARDIAN=$1/guardian.$$
  export SYSG_GUARDIAN
  shift
  [ ! -e "$SYSG_GUARDIAN" ] || rm -f "$SYSG_GUARDIAN"
  listen
  [ -z "$asked" ] || exit 143
  while :; do
    start_pause || until start_pause 2>/dev/null; do :; done
    pause=$!
    noted=$asked
    [ -z "$noted" ] || export SYSG_ASKED="$noted"
    command eval '"$@" &' || { await "$pause"; continue; }
    child=$!
    [ "$asked" = "$noted" ] || hand_on "$asked"
    if [ -n "${SYSG_READY_FD-}" ]; then
      unset SYSG_READY_FD
      exec 3>&-
    fi
    await "$child"
    child= code=$status
    # The file alone is the word of an older command.
    if [ -n "$ordered" ] || [ -e "$SYSG_GUARDIAN" ]; then
      if { read -r code <"$SYSG_GUARDIAN" || [ -n "$code" ]; } 2>/dev/null; then
        case $code in '' | *[!0-9]*) code=1 ;; esac
      else
        code=$status
      fi
      command eval 'rm -f "$SYSG_GUARDIAN"'
      # Our own child, not waited for yet: its pid is still its own.
      kill "$pause" 2>/dev/null
      exit "$code"
    fi
    # The directory was removed: nothing is left to take over.
    [ -d "${SYSG_GUARDIAN%/*}" ] || exit "$code"
    # It knew from its start that it was to end and died again: another one would do no better.
    [ -z "$noted" ] || exit "$code"
    await "$pause"
    export SYSG_AGAIN=1
  done
}
