#!/bin/sh
# Run a sidecar once its token is there: join.sh NAME OPTION...
set -eu
name=$1
shift
until [ -s "/tokens/$name" ]; do sleep 0.1; done
MESHEXT_TOKEN=$(cat "/tokens/$name")
export MESHEXT_TOKEN
exec meshext sidecar --control-plane control-plane:15010 --transparent --name "$name" "$@"
