#!/bin/sh
# Run a sidecar, transparent unless it is a gateway: join.sh NAME OPTION...
# A token is taken where there is one; a first start waits for it. Later ones may need it as well, where
# the certificate has expired meanwhile.
set -eu
name=$1
shift
data=/var/lib/meshext/sidecars/$name
until mv "/tokens/$name" /tmp/token 2>/tmp/no-token || [ -s "$data/svid.json" ]; do sleep 0.1; done
if [ -s /tmp/token ]; then
    MESHEXT_TOKEN=$(cat /tmp/token)
    export MESHEXT_TOKEN
    rm /tmp/token
fi
case " $* " in
*" --gateway "*) ;;
*) set -- --transparent "$@" ;;
esac
# Nothing in the suite takes longer than that, and whoever waits for an old listener to be gone waits for it.
exec meshext sidecar --control-plane control-plane:15010 --name "$name" --data "$data" --drain 5 "$@"
