#!/bin/sh
# Give the database's account the password that is in the secret's file; within the container `db`, where the socket asks for none.
# usage: docker compose exec db sh /etc/veldwatch/set-password.sh
set -eu
file=${POSTGRES_PASSWORD_FILE:?names no file}
# psql quotes it; a `$(...)` in an argument would be seen by everybody
{ printf "\\\\set secret \`cat '%s'\`\n" "$file"; printf "ALTER ROLE :\"account\" PASSWORD :'secret';\n"; } \
  | psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=account="$POSTGRES_USER" --username="$POSTGRES_USER" --dbname="$POSTGRES_DB"
echo "$POSTGRES_USER has the password of $file"
