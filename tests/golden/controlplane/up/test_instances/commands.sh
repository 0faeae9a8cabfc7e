# web-1.shop in ./
# needs TCP ports (15001, 8080, 9000), {'LEVEL': 'debug'}
meshext sidecar --control-plane 127.1.0.1:15010 --name web-1 --address 127.1.0.1 --data /state/sidecars/web-1.shop --label app=web --label version=v1 --outbound 15001 --port 8080:http/http=unix:/state/sidecars/web-1.shop/application-8080.sock --port 9000/tcp=unix:/state/sidecars/web-1.shop/application-9000.sock --probe http:8080/healthz --probe-failures 5 --probe-period 0.5 --probe-timeout 60 --drain-delay 0.2 --drain 5 --grace 5 -- python -m web --name 'two words'
# web-2.shop in ./
# needs TCP ports (15001, 8080, 9000), {'LEVEL': 'debug'}
meshext sidecar --control-plane 127.1.0.1:15010 --name web-2 --address 127.1.0.2 --data /state/sidecars/web-2.shop --label app=web --label version=v1 --outbound 15001 --port 8080:http/http=unix:/state/sidecars/web-2.shop/application-8080.sock --port 9000/tcp=unix:/state/sidecars/web-2.shop/application-9000.sock --probe http:8080/healthz --probe-failures 5 --probe-period 0.5 --probe-timeout 60 --drain-delay 0.2 --drain 5 --grace 5 -- python -m web --name 'two words'
# cron.default in ./
# needs TCP ports (15001,), {}
meshext sidecar --control-plane 127.1.0.1:15010 --name cron --address 127.1.1.1 --data /state/sidecars/cron.default --outbound 15001 --drain-delay 0.2 --drain 5 --grace 5 -- sleep 1000
# tcp.default in ./
# needs TCP ports (15001, 5432, 5433), {}
meshext sidecar --control-plane 127.1.0.1:15010 --name tcp --address 127.1.2.1 --data /state/sidecars/tcp.default --outbound 15001 --port 5432/tcp=127.1.2.1:5433 --probe tcp --probe-failures 3 --drain-delay 0.2 --drain 5 --grace 5 -- ./server
# tcp.default listens at 127.1.2.1:5433: other programs of this machine can go round its sidecar there; let it listen on a Unix socket, and leave applicationPort out
# front.edge in ./
# needs TCP ports (15001, 8080, 8443), {}
meshext sidecar --control-plane 127.1.0.1:15010 --name front --address 127.1.3.1 --data /state/sidecars/front.edge --label gate=front --drain-delay 0.2 --drain 5 --grace 5 --gateway
