#!/bin/sh
# Run Mosquitto with the accounts that the service `accounts` writes, and have it read them again when there are others. It wants
# files that nobody else can read, so it is given copies. What cannot be read changes nothing.
#
# And keep its queue within its memory: past that it is killed, and killed again at each start, since it reads the queue back. Its own
# limits lose messages: max_queued_* drops what it acknowledges, and at memory_limit it ends itself (2.0.11). So while the queue, as it
# was saved last (once a second), is longer than QUEUE_BYTES, only `ingest` is let in. Everybody else is cut off with what was not
# acknowledged yet, keeps it, and comes back when half of the queue is gone.
# usage: run.sh CONFIGURATION ACCOUNTS_FOLDER OWN_FOLDER QUEUE_FILE QUEUE_BYTES
set -u
configuration=$1 accounts=$2 own=$3 queue=$4 most=$5
full=no applied=no
umask 077

gather() {
  cat "$accounts/acl" > "$own/acl.part" && cat "$accounts/passwords" > "$own/everybody.part" || return 1
  if [ "$full" = yes ]; then grep '^ingest:' "$own/everybody.part"; else cat "$own/everybody.part"; fi > "$own/passwords.part"
  # `everybody` last: it says that the others are there
  for file in acl passwords everybody; do mv "$own/$file.part" "$own/$file" || return 1; done
  applied=$full
}

# Contents, not times and inodes: a file that is replaced twice within a second may have those of before.
same() { cmp -s "$accounts/acl" "$own/acl" && cmp -s "$accounts/passwords" "$own/everybody"; }

look() {
  bytes=$(stat -c %s "$queue" 2>/dev/null) || return 0
  if [ "$full" = no ] && [ "$bytes" -gt "$most" ]; then
    full=yes
    echo "queue of $bytes bytes, more than $most: only ingest is let in until half of it is gone" >&2
  elif [ "$full" = yes ] && [ "$bytes" -le $((most / 2)) ]; then
    full=no
    echo "queue of $bytes bytes: everybody is let in again" >&2
  fi
}

trap 'exit 0' TERM INT
look
until gather; do sleep 1 & wait $!; done
mosquitto -c "$configuration" &
broker=$!
trap 'kill -TERM $broker; wait $broker; exit 0' TERM INT
while kill -0 "$broker" 2>/dev/null; do
  sleep 1 & wait $!
  look
  if [ "$applied" != "$full" ] || ! same; then
    gather && kill -HUP "$broker"
  fi
done
wait "$broker"
