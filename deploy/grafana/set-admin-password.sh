#!/bin/sh
# Give Grafana's account `admin` the password that is in the secret's file: it reads the file itself only at its first start.
# usage: docker compose exec grafana sh /etc/veldwatch/set-admin-password.sh
set -eu
grafana cli --homepath /usr/share/grafana admin reset-admin-password --password-from-stdin \
  < /run/secrets/grafana_admin_password
