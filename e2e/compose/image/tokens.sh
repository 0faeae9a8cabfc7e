#!/bin/sh
# Make a token for each workload that has none yet: tokens.sh "NAME NAMESPACE ACCOUNT PORTS"...
set -eu
for each in "$@"; do
    set -- $each
    [ -s "/tokens/$1" ] && continue
    umask 077
    meshext token create --state /state/mesh --namespace "$2" --service-account "$3" --labels "app=$3" \
        --ports "$4" >"/tokens/$1.new"
    mv "/tokens/$1.new" "/tokens/$1"
done
