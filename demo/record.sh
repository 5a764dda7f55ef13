#!/usr/bin/env bash
# Records the sample platform: starts a real control plane, applies platform/, brings every instance into the
# state that states.txt names, and writes what a client could read into recorded/.
#
#   record.sh           (make demo-data); about a minute once the control plane is built. Needs jq and curl.
#
# Refuses to write anything when the platform does not come to those states.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
control_plane=$here/../tests/support/control-plane
work=$(mktemp -d)
trap finish EXIT
# The control plane lives as long as its stdin is open.
finish() {
  if [[ -n ${CONTROL_PLANE_PID:-} ]]; then
    local plane=$CONTROL_PLANE_PID stdin=${CONTROL_PLANE[1]}
    exec {stdin}>&-
    wait "$plane" || true
  fi
  rm -rf "$work"
}
say() { printf 'demo: %s\n' "$*" >&2; }

say "starting a control plane"
coproc CONTROL_PLANE { exec "$control_plane/start.sh" "$work/control-plane"; }
read -r started <&"${CONTROL_PLANE[0]}"
part() { jq -r "$1" <<<"$started"; }
export KUBECONFIG KUBECACHEDIR=$work/kubectl
KUBECONFIG=$(part .kubeconfig)
PATH=$(part .bin):$PATH
server=$(part .server) ca_file=$(part .ca_file) token=$(part .tokens.admin)

. "$here/kubelet.sh"

# ---- the platform ----------------------------------------------------------------------------------------

publish() { kubectl apply --server-side --field-manager=platform-team "${@/#/--filename=}" >"$work/log"; }
order() { kubectl apply --filename="$here/platform/$1" >"$work/log"; }

# until_true SECONDS WHAT COMMAND…: lets the Pods come up meanwhile.
until_true() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  say "waiting for $what"
  until "$@"; do
    if ((SECONDS > end)); then
      say "this did not come: $what"
      states >&2
      return 1
    fi
    kubelet >"$work/log" || true # a Pod may go between being listed and being patched
    sleep 1
  done
}

# rgd NAME JQ-CONDITION
rgd() { kubectl get rgd "$1" -o json | jq -e "$2" >"$work/log"; }
ready='any(.status.conditions[]?; .type == "Ready" and .status == "True")'
states() {
  local plural
  for plural in $(kubectl api-resources --api-group=platform.example.com -o name); do
    kubectl get "$plural" -A -o json
  done | jq -r '.items[] | "\(.kind) \(.metadata.namespace // "")/\(.metadata.name) \(.status.state)"' | LC_ALL=C sort
}
exist() { kubectl get "$@" >"$work/log" 2>&1; }
all_as_expected() { diff <(states) "$here/states.txt" >"$work/differences"; }
rolled_out() {
  kubectl get deployments -A -l kro.run/instance-kind=Cache -o json | jq -e --arg image "$1" 'all(.items[];
    .spec.template.spec.containers[0].image == $image and .status.observedGeneration == .metadata.generation
    and .status.updatedReplicas == 1 and .status.replicas == 1 and .status.availableReplicas == 1)' >"$work/log"
}

publish "$here"/platform/[12]?-*.yaml
for name in team webservice database shop workerpool report gateway cache; do
  until_true 60 "the RGD $name" rgd "$name" "$ready"
done
order 30-teams.yaml
until_true 30 "the namespaces" exist namespace shop payments media insights
until_true 30 "the quota of media" eval '[[ $(kubectl get resourcequota -n media team -o jsonpath={.status.hard.pods}) == 8 ]]'
order 40-instances.yaml
until_true 30 "the gateways" exist service -n platform public-gateway partners-gateway
kubectl patch service -n platform public-gateway --subresource=status --field-manager=load-balancer --type=merge \
  -p '{"status":{"loadBalancer":{"ingress":[{"ip":"203.0.113.10","ipMode":"VIP"}]}}}' >"$work/log"
until_true 60 "the workers" eval '(($(kubectl get pods -n media -o name | wc -l) == 6))'
order 45-uploads.yaml
until_true 60 "the caches" rolled_out valkey/valkey:8.0
until_true 60 "the dashboards" eval '[[ $(kubectl get webservice -n insights dashboards -o jsonpath={.status.readyReplicas}) == 2 ]]'
until_true 60 "the archive" eval '[[ $(kubectl get database -n payments archive -o jsonpath={.status.state}) == ACTIVE ]]'

# The caches get their second revision; the third is refused.
publish "$here/platform/50-cache-second.yaml"
until_true 60 "the caches' second revision" rolled_out valkey/valkey:8.1
publish "$here/platform/51-cache-invalid.yaml"
until_true 30 "the refusal of the third" rgd cache '.status.state == "Inactive"'

# Suspended, then changed: the change waits.
kubectl annotate webservice -n insights dashboards kro.run/reconcile=suspended >"$work/log"
until_true 30 "the suspension" eval 'kubectl get webservice -n insights dashboards -o json | grep -q ReconciliationSuspended'
kubectl patch webservice -n insights dashboards --type=merge --field-manager=kubectl-edit \
  -p '{"spec":{"image":"registry.example.com/dashboards:11.3.0","replicas":3}}' >"$work/log"

# Deleted, but the backup of its disk never lets go.
kubectl patch pvc -n payments archive-data --type=merge --field-manager=backup-operator \
  -p '{"metadata":{"finalizers":["backup.example.com/before-delete","kubernetes.io/pvc-protection"]}}' >"$work/log"
kubectl delete database -n payments archive --wait=false >"$work/log"

until_true 90 "every instance to be as states.txt says" all_as_expected
sleep 15 # kro's next passes, the last events
if ! all_as_expected; then
  say "the states did not last:"
  cat "$work/differences" >&2
  exit 1
fi

# ---- the recording ---------------------------------------------------------------------------------------

# Plural and group of all that is recorded; the discovery documents tell of nothing else.
kinds='configmaps endpoints events limitranges namespaces nodes persistentvolumeclaims persistentvolumes pods
  resourcequotas secrets serviceaccounts services
  controllerrevisions.apps daemonsets.apps deployments.apps replicasets.apps statefulsets.apps
  horizontalpodautoscalers.autoscaling cronjobs.batch jobs.batch endpointslices.discovery.k8s.io
  events.events.k8s.io ingresses.networking.k8s.io networkpolicies.networking.k8s.io
  poddisruptionbudgets.policy rolebindings.rbac.authorization.k8s.io roles.rbac.authorization.k8s.io
  storageclasses.storage.k8s.io customresourcedefinitions.apiextensions.k8s.io
  resourcegraphdefinitions.kro.run graphrevisions.internal.kro.run
  caches.platform.example.com databases.platform.example.com gateways.platform.example.com
  reports.platform.example.com shops.platform.example.com teams.platform.example.com
  webservices.platform.example.com workerpools.platform.example.com'

read_api() {
  curl --silent --show-error --fail --max-time 20 --cacert "$ca_file" -H @- "$server$1" "${@:2}" <<<"Authorization: Bearer $token"
}
aggregated='Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
out=$work/recorded
mkdir "$out"

jq --indent 1 -n --arg at "$(now)" '{$at}' >"$out/recording.json"
for path in api apis; do
  read_api "/$path" -H "$aggregated" | jq --indent 1 --arg kinds "$kinds" '
    ($kinds | [splits("\\s+")]) as $kinds
    | .items |= [.[] | (.metadata.name // "") as $group
        # The first version is the preferred one, and the one that was recorded.
        | .versions |= [.[] | .resources |= map(select(
            ([.resource, $group] - [""] | join(".")) as $kind | any($kinds[]; . == $kind)))
          | select(.resources != [])][:1]
        | select(.versions != [])]' >"$out/discovery-$path.json"
done
read_api /version | jq --indent 1 . >"$out/version.json"

for kind in $kinds; do
  path=$(jq -r --arg kind "$kind" '.items[] | (.metadata.name // "") as $group | .versions[] | .version as $version
    | .resources[] | select(([.resource, $group] - [""] | join(".")) == $kind)
    | (if $group == "" then "/api" else "/apis/" + $group end) + "/\($version)/\(.resource)"' \
    "$out"/discovery-*.json)
  read_api "$path" | jq --indent 1 -f "$here/shape.jq" >"$out/$kind.json"
done

if grep -rlE -- "$token|$work|BEGIN CERTIFICATE" "$out"; then
  say "something of this machine is in these files"
  exit 1
fi
rm -rf "$here/recorded"
mv "$out" "$here/recorded"
say "recorded: $(ls "$here/recorded" | wc -l) files, $(cat "$here"/recorded/* | wc -c) bytes"
