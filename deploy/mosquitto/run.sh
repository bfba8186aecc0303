#!/bin/sh
# Run Mosquitto with the programs' accounts (passwords from the environment, rights from `acl`) and those of the register, and
# have it read both again when the service `accounts` has written others. What cannot be read changes nothing.
# usage: run.sh CONFIGURATION ACL REGISTER_FOLDER OWN_FOLDER
set -u
configuration=$1 acl=$2 register=$3 own=$4
umask 077

gather() {
  cat "$acl" "$register/acl" > "$own/acl.part" \
    && cat "$own/base" "$register/passwords" > "$own/passwords.part" \
    && mv "$own/acl.part" "$own/acl" && mv "$own/passwords.part" "$own/passwords"
}

state() { stat -c %i.%Y "$register/acl" "$register/passwords" 2>/dev/null; }

: > "$own/base"
mosquitto_passwd -b "$own/base" ingest "$MQTT_INGEST_PASSWORD"
mosquitto_passwd -b "$own/base" devices "$MQTT_DEVICES_PASSWORD"
mosquitto_passwd -b "$own/base" simulators "$MQTT_SIMULATORS_PASSWORD"

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
