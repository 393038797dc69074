#!/bin/sh
# sh curl.sh FOLDER NAME URL, with the folder that `make client NAME=… DIR=…` wrote.
set -eu
# The pass phrase goes through a pipe: other users of the machine see a command line.
sed 's/[\\"]/\\&/g; s/.*/pass = "&"/' "$1/passphrase.txt" |
  curl --silent --show-error --fail-with-body --config - \
    --cacert "$1/ca.crt" --cert "$1/$2.crt" --key "$1/$2.key" "$3"
