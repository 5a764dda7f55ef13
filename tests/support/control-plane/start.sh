#!/usr/bin/env bash
# Starts a control plane of its own: etcd, kube-apiserver, kube-controller-manager and kro on free loopback
# ports, everything they write in DIR, RBAC and the audit log on.
#
#   start.sh DIR        DIR is new or empty; it is removed at the end
#
# When all is ready it prints one line of JSON on stdout (server, kubeconfig, audit_log, ca_file, bin, kro,
# tokens) and then lives as long as its stdin: at end of file, SIGTERM, SIGINT, or when one of the four dies,
# it stops everything and removes DIR. Whoever holds the other end of stdin may therefore panic or be killed
# and leaves nothing behind. By hand: run it in a terminal and end it with Ctrl-D.
#
# Users (static tokens)
#   platform-admin      system:masters; the kubeconfig's user
#   platform-viewer     reads everything, secrets too, except internal.kro.run (ClusterRole platform-viewer)
#   platform-limited    may do nothing until a test binds it
#   platform-mcp        the server's own: may do nothing until a test lets it impersonate somebody
#   kro-controller      kro itself: cluster-admin by the ClusterRoleBinding kro-controller, so that a test on a
#                       control plane of its own can take rights away
#
# Environment, none of it needed
#   OIDC_ISSUER_URL     the API server trusts this issuer as well (https); `sub` becomes the user oidc:SUB and
#                       `groups` the groups oidc:GROUP, which have the rights of people.yaml
#   OIDC_CA_FILE        the CA of that issuer
#   OIDC_CLIENT_ID      the audience its tokens must have
#   WITHOUT_CONTROLLERS anything: etcd and kube-apiserver alone, without kro's CRDs
#   PLATFORM_MCP_CACHE  as for build.sh
set -euo pipefail
umask 077
# The reader of our output may be dead by the time we clean up; that must not stop the cleaning.
trap '' PIPE

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if (($# != 1)); then
  sed -n '2,/^set/{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
mkdir -p "$1"
dir=$(cd "$1" && pwd)
if [[ -n $(ls -A "$dir") ]]; then
  echo "control-plane: $dir is not empty, and it would be removed at the end" >&2
  exit 2
fi

# ---- ending ----------------------------------------------------------------------------------------------

self=$$
pids=$dir/pids # a line "NAME PID" for each part
: >"$pids"
pid_of() { awk -v n="$1" '$1 == n { print $2 }' "$pids"; }

# Is process $1 there and ours? All of ours have the folder in their arguments, so a number that the system
# gave to somebody else meanwhile is not taken for one of them.
ours() {
  case $(ps -ww -o stat= -o args= -p "$1" 2>/dev/null) in
    Z*) return 1 ;;
    *"$dir"*) return 0 ;;
    *) return 1 ;;
  esac
}

# stop TENTHS NAME…: asks them to end, waits that long at most, ends them.
stop() {
  local tenths=$1 name pid left=()
  shift
  for name in "$@"; do
    pid=$(pid_of "$name")
    if [[ -n $pid ]] && ours "$pid" && kill -TERM "$pid"; then left+=("$pid"); fi
  done
  while ((${#left[@]})); do
    sleep 0.1
    ((tenths -= 1))
    local asked=("${left[@]}")
    left=()
    for pid in "${asked[@]}"; do
      if ours "$pid"; then
        left+=("$pid")
        if ((tenths <= 0)); then kill -KILL "$pid"; fi
      fi
    done
  done
}

# Clients before servers: the API server drains for up to a minute while a watch is open.
stop_all() {
  stop 12 kro kube-controller-manager
  stop 10 kube-apiserver
  stop 10 etcd
  rm -rf "$dir"
}

said_why=
guardian=
finish() {
  local status=$?
  set +e
  trap '' TERM INT HUP EXIT
  if ((status != 0)) && [[ -z $said_why ]]; then echo "control-plane: start.sh failed with status $status" >&2; fi
  stop_all
  if [[ -n $guardian ]]; then kill -KILL "$guardian" 2>/dev/null; fi
  exit "$status"
}
trap finish EXIT
trap 'exit 0' TERM INT HUP

# fail WHY [NAME]: with the last words of the part concerned.
fail() {
  said_why=1
  {
    echo "control-plane: $1"
    if [[ -n ${2:-} ]]; then
      echo "---- the end of $2.log"
      tail -n 25 "$dir/$2.log"
    fi
  } >&2
  exit 1
}

# ---- building, where it is not built yet -----------------------------------------------------------------

cache=$("$here/build.sh" </dev/null | while IFS= read -r line; do
  case $line in
    'control-plane: '*) printf '%s\n' "$line" >&2 ;;
    *) printf '%s\n' "$line" ;;
  esac
done)
bin=$cache/bin

# ---- the guardian ----------------------------------------------------------------------------------------

# The one reader of stdin. At its end it tells the script to finish, and does the work itself if the script
# is no longer there to do it.
exec 3<&0 </dev/null
(
  trap '' INT
  set +e
  while IFS= read -r _ <&3; do :; done
  for ((i = 0; i < 100; i++)); do
    ours "$self" || break
    if ((i == 0)); then kill -TERM "$self"; fi
    sleep 0.1
  done
  if [[ -e $pids ]]; then stop_all; fi
) >/dev/null 2>&1 &
guardian=$!
disown "$guardian"
exec 3<&-

# ---- starting --------------------------------------------------------------------------------------------

# Below the range the system hands out by itself, so only another control plane is likely to be in the way;
# where that happens all the same, `serve` tries again.
port() {
  while :; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if ! (exec 5<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
  done
}

# launch NAME ARGUMENT…: in a process group of its own, so that Ctrl-C in a terminal reaches this script alone
# and the order of ending holds.
launch() {
  local name=$1 stopping= pid
  shift
  # Between the start and the note of its number a signal must wait, or this one would be forgotten.
  trap 'stopping=1' TERM INT HUP
  set -m
  "$bin/$name" "$@" </dev/null >"$dir/$name.log" 2>&1 &
  pid=$!
  set +m
  disown "$pid"
  {
    grep -v "^$name " "$pids" || true
    printf '%s %s\n' "$name" "$pid"
  } >"$pids.new"
  mv "$pids.new" "$pids"
  trap 'exit 0' TERM INT HUP
  if [[ -n $stopping ]]; then exit 0; fi
}

# serve NAME: start_NAME launches it on a port it picks; again on another if that was taken in between.
serve() {
  local name=$1 attempt
  for attempt in 1 2 3 4 5; do
    "start_$name"
    if wait_for "$name"; then return; fi
  done
  fail "$name found no free port in five attempts" "$name"
}

# wait_for NAME: until ready_NAME holds. 1 if it ended because its port was taken.
wait_for() {
  local name=$1 pid tenths
  pid=$(pid_of "$name")
  for ((tenths = 0; tenths < 600; tenths++)); do
    if ! kill -0 "$pid" 2>/dev/null; then
      if grep -q 'address already in use' "$dir/$name.log"; then return 1; fi
      fail "$name ended while starting" "$name"
    fi
    if "ready_$name"; then return 0; fi
    sleep 0.1
  done
  fail "$name was not ready after a minute" "$name"
}

token() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# answers URL: with a certificate of our own CA, so it is this one and not a stranger on its port.
answers() { curl --silent --fail --output /dev/null --max-time 2 --cacert "$dir/ca.crt" "$1"; }

# kubeconfig FILE USER TOKEN
kubeconfig() {
  cat >"$dir/$1" <<END
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "$server", certificate-authority: "$dir/ca.crt"}}]
users: [{name: "$2", user: {token: "$3"}}]
contexts: [{name: test, context: {cluster: test, user: "$2"}}]
current-context: test
END
}

# The API server refuses one CA for both clients and the aggregation layer, so there are two. Nothing here is
# signed by either but the serving certificate.
certificates() {
  local ca
  for ca in ca requestheader-ca; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$ca" \
      -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
      -keyout "$dir/$ca.key" -out "$dir/$ca.crt"
  done
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=control-plane \
    -keyout "$dir/serving.key" -out "$dir/serving.csr"
  printf '%s\n' 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc' \
    'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' 'extendedKeyUsage=serverAuth' \
    >"$dir/serving.ext"
  openssl x509 -req -in "$dir/serving.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -CAcreateserial -days 30 \
    -extfile "$dir/serving.ext" -out "$dir/serving.crt"
  openssl ecparam -name prime256v1 -genkey -noout -out "$dir/service-account.key"
}

start_etcd() {
  rm -rf "$dir/etcd"
  port && local client=http://127.0.0.1:$port
  port && local peer=http://127.0.0.1:$port
  etcd_url=$client
  launch etcd --data-dir="$dir/etcd" --unsafe-no-fsync --listen-client-urls="$client" \
    --advertise-client-urls="$client" --listen-peer-urls="$peer" --initial-advertise-peer-urls="$peer" \
    --initial-cluster="default=$peer"
}
ready_etcd() { grep -q 'ready to serve client requests' "$dir/etcd.log"; }

start_kube-apiserver() {
  port
  server=https://127.0.0.1:$port
  local oidc=()
  if [[ -n ${OIDC_ISSUER_URL:-} ]]; then
    oidc=(--oidc-issuer-url="$OIDC_ISSUER_URL" --oidc-client-id="${OIDC_CLIENT_ID:?is needed with OIDC_ISSUER_URL}"
      --oidc-username-claim=sub --oidc-username-prefix=oidc: --oidc-groups-claim=groups --oidc-groups-prefix=oidc:
      --oidc-signing-algs=RS256,ES256,PS256)
    if [[ -n ${OIDC_CA_FILE:-} ]]; then oidc+=(--oidc-ca-file="$OIDC_CA_FILE"); fi
  fi
  launch kube-apiserver --etcd-servers="$etcd_url" --bind-address=127.0.0.1 --advertise-address=127.0.0.1 \
    --secure-port="$port" --tls-cert-file="$dir/serving.crt" --tls-private-key-file="$dir/serving.key" \
    --cert-dir="$dir/apiserver" --endpoint-reconciler-type=none --service-cluster-ip-range=10.0.0.0/24 \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$dir/service-account.key" \
    --service-account-signing-key-file="$dir/service-account.key" --disable-admission-plugins=ServiceAccount \
    --authorization-mode=RBAC --token-auth-file="$dir/tokens.csv" --client-ca-file="$dir/ca.crt" \
    --requestheader-client-ca-file="$dir/requestheader-ca.crt" --requestheader-allowed-names=nobody \
    --audit-policy-file="$here/audit-policy.yaml" --audit-log-path="$dir/audit.log" --audit-log-maxsize=100000 \
    ${oidc[@]+"${oidc[@]}"}
}
ready_kube-apiserver() { answers "$server/readyz"; }

start_kube-controller-manager() {
  port
  manager=https://127.0.0.1:$port
  launch kube-controller-manager --kubeconfig="$dir/manager.kubeconfig" \
    --authentication-kubeconfig="$dir/manager.kubeconfig" --authorization-kubeconfig="$dir/manager.kubeconfig" \
    --bind-address=127.0.0.1 --secure-port="$port" --tls-cert-file="$dir/serving.crt" \
    --tls-private-key-file="$dir/serving.key" --leader-elect=false --root-ca-file="$dir/ca.crt" \
    --service-account-private-key-file="$dir/service-account.key" --kube-api-qps=200 --kube-api-burst=400
}
ready_kube-controller-manager() { answers "$manager/healthz"; }

start_kro() {
  port
  kro=http://127.0.0.1:$port
  launch kro --kubeconfig="$dir/kro.kubeconfig" --metrics-bind-address=0 \
    --health-probe-bind-address="127.0.0.1:$port" --graceful-shutdown-timeout=1s
}
ready_kro() { answers "$kro/readyz"; }

if ! certificates >"$dir/openssl.log" 2>&1; then fail "openssl could not make the certificates" openssl; fi
admin=$(token) viewer=$(token) limited=$(token) own=$(token) kro_token=$(token) manager_token=$(token)
cat >"$dir/tokens.csv" <<END
$admin,platform-admin,platform-admin,system:masters
$viewer,platform-viewer,platform-viewer
$limited,platform-limited,platform-limited
$own,platform-mcp,platform-mcp
$kro_token,kro-controller,kro-controller
$manager_token,system:kube-controller-manager,system:kube-controller-manager,system:masters
END

serve etcd
serve kube-apiserver
kubeconfig admin.kubeconfig platform-admin "$admin"
kubeconfig kro.kubeconfig kro-controller "$kro_token"
kubeconfig manager.kubeconfig system:kube-controller-manager "$manager_token"

# its first seconds pass while kro is prepared
if [[ -z ${WITHOUT_CONTROLLERS:-} ]]; then start_kube-controller-manager; fi
export KUBECONFIG=$dir/admin.kubeconfig KUBECACHEDIR=$dir/kubectl KUBERC=off
if [[ -z ${WITHOUT_CONTROLLERS:-} ]]; then
  {
    "$bin/kubectl" create -f "$cache/kro/crds" -f "$here/rbac.yaml" ${OIDC_ISSUER_URL:+-f "$here/people.yaml"} &&
      "$bin/kubectl" wait --for=condition=Established --timeout=30s -f "$cache/kro/crds"
  } >"$dir/kubectl.log" 2>&1 || fail "kro's CRDs or the roles were refused" kubectl
  serve kro
  wait_for kube-controller-manager || serve kube-controller-manager
else
  "$bin/kubectl" create -f "$here/rbac.yaml" ${OIDC_ISSUER_URL:+-f "$here/people.yaml"} >"$dir/kubectl.log" 2>&1 ||
    fail "the roles were refused" kubectl
fi

quoted() {
  local text=${1//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}
printf '{"server":%s,"kubeconfig":%s,"audit_log":%s,"ca_file":%s,"bin":%s,"kro":%s,' "$(quoted "$server")" \
  "$(quoted "$dir/admin.kubeconfig")" "$(quoted "$dir/audit.log")" "$(quoted "$dir/ca.crt")" "$(quoted "$bin")" \
  "$(quoted "$cache/kro")"
printf '"tokens":{"admin":"%s","viewer":"%s","limited":"%s","server":"%s"}}\n' "$admin" "$viewer" "$limited" "$own"

# ---- living ----------------------------------------------------------------------------------------------

while :; do
  while read -r name pid; do
    if ! kill -0 "$pid" 2>/dev/null; then fail "$name ended by itself" "$name"; fi
  done <"$pids"
  sleep 0.5
done
