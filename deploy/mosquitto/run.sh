#!/bin/sh
# Run Mosquitto with the accounts that the service `accounts` writes, and have it read them again when there are others. It wants
# files that nobody else can read, so it is given copies. What cannot be read changes nothing.
# usage: run.sh CONFIGURATION ACCOUNTS_FOLDER OWN_FOLDER
set -u
configuration=$1 accounts=$2 own=$3
umask 077

gather() {
  cat "$accounts/acl" > "$own/acl.part" && cat "$accounts/passwords" > "$own/passwords.part" \
    && mv "$own/acl.part" "$own/acl" && mv "$own/passwords.part" "$own/passwords"
}

state() { stat -c %i.%Y "$accounts/acl" "$accounts/passwords" 2>/dev/null; }

trap 'exit 0' TERM INT
until known=$(state) && gather; do sleep 1 & wait $!; done
mosquitto -c "$configuration" &
broker=$!
trap 'kill -TERM $broker; wait $broker; exit 0' TERM INT
while kill -0 "$broker" 2>/dev/null; do
  sleep 1 & wait $!
  found=$(state) || continue
  if [ "$found" != "$known" ] && gather; then
    known=$found
    kill -HUP "$broker"
  fi
done
wait "$broker"
