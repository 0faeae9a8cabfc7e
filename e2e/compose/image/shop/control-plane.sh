#!/bin/sh
# The shop's control plane. Its first start makes the certificate that the gateway shows, and keeps it.
# /state/svid-life may say how many seconds a workload's certificate lives.
set -eu
umask 077
if [ ! -s /state/gateway.yaml ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj /CN=shop.test \
        -addext subjectAltName=DNS:shop.test,DNS:localhost,IP:127.0.0.1 -keyout /tmp/key -out /tmp/certificate
    cat >/tmp/gateway.yaml <<DOCUMENT
apiVersion: v1
kind: Secret
type: kubernetes.io/tls
metadata: {name: shop-cert, namespace: edge}
data: {tls.crt: $(base64 -w0 /tmp/certificate), tls.key: $(base64 -w0 /tmp/key)}
DOCUMENT
    mv /tmp/certificate /state/gateway.crt
    mv /tmp/gateway.yaml /state/gateway.yaml
    rm /tmp/key
fi
cp /state/gateway.yaml /suite/shop/mesh/certificate.yaml
exec meshext controlplane --config=/suite/shop/mesh --state=/state/mesh --listen=0.0.0.0:15010 \
    --join-listen=0.0.0.0:15011 --metrics=0.0.0.0:15014 \
    --svid-life="$(cat /state/svid-life 2>/dev/null || echo 86400)"
