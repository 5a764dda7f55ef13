# Sourced by record.sh. The control plane has neither scheduler nor kubelet, so this binds the Pods and says of
# them what a kubelet would: ready, except those of storefront-api, which crash, and those of
# transcode-eu-north, whose image cannot be pulled.

# kubelet: one pass over the nodes and over the Pods that nothing was said of yet.
kubelet() {
  local namespace name number
  heartbeat
  kubectl get pods -A -o json | jq -r '
    .items[] | select(.metadata.deletionTimestamp != null) | [.metadata.namespace, .metadata.name] | @tsv' |
    while IFS=$'\t' read -r namespace name; do
      kubectl delete pod -n "$namespace" "$name" --force --grace-period=0
    done
  kubectl get pods -A -o json | jq -r '
    .items[] | select(.metadata.deletionTimestamp == null and .status.startTime == null)
    | [.metadata.namespace, .metadata.name] | @tsv' |
    while IFS=$'\t' read -r namespace name; do
      number=$(($(cat "$work/pods-seen" 2>/dev/null || echo 9) + 1))
      echo "$number" >"$work/pods-seen"
      bind "$namespace" "$name" "node-$((number % 3 + 1))"
      case $name in
        storefront-api-*) crash "$namespace" "$name" "$number" ;;
        transcode-eu-north-*) fail_to_pull "$namespace" "$name" "$number" ;;
        *) pod "$namespace" "$name" "$number" Running True '{started: true, ready: true, restartCount: 0, state: {running: {startedAt: $now}}}' ;;
      esac
    done
}

# A node that is not heard of for 50 seconds is taken for lost, and its Pods are evicted.
heartbeats=-60
heartbeat() {
  if ((SECONDS - heartbeats < 15)); then return; fi
  heartbeats=$SECONDS
  local number
  for number in 1 2 3; do
    jq -n --arg now "$(now)" --arg number "$number" '
      def condition($type; $status; $reason; $message): {$type, $status, $reason, $message,
        lastHeartbeatTime: $now, lastTransitionTime: $now};
      {status: {
        capacity: {cpu: "8", memory: "32Gi", pods: "110"}, allocatable: {cpu: "7800m", memory: "30Gi", pods: "110"},
        addresses: [{type: "InternalIP", address: "192.0.2.1\($number)"}, {type: "Hostname", address: "node-\($number)"}],
        conditions: [
          condition("MemoryPressure"; "False"; "KubeletHasSufficientMemory"; "kubelet has sufficient memory available"),
          condition("DiskPressure"; "False"; "KubeletHasNoDiskPressure"; "kubelet has no disk pressure"),
          condition("PIDPressure"; "False"; "KubeletHasSufficientPID"; "kubelet has sufficient PID available"),
          condition("Ready"; "True"; "KubeletReady"; "kubelet is posting ready status")]}}' |
      kubectl patch node "node-$number" --subresource=status --field-manager=kubelet --type=merge --patch-file=/dev/stdin
  done
}

# bind NAMESPACE POD NODE
bind() {
  jq -n --arg name "$2" --arg node "$3" '{apiVersion: "v1", kind: "Binding", metadata: {$name},
    target: {apiVersion: "v1", kind: "Node", name: $node}}' |
    kubectl create --raw "/api/v1/namespaces/$1/pods/$2/binding" -f -
}

crash() {
  pod "$1" "$2" "$3" Running False '{
    started: false, ready: false, restartCount: 6,
    state: {waiting: {reason: "CrashLoopBackOff",
      message: "back-off 5m0s restarting failed container=web pod=\($pod)_\($namespace)(\($uid))"}},
    lastState: {terminated: {exitCode: 1, reason: "Error", startedAt: $now, finishedAt: $now,
      message: "shop-api 2.5.0 starting\nfatal: setting DATABASE_URL is missing (since 2.5.0 it replaces DATABASE_HOST)\n"}}}'
  event "$1" "$2" Normal Pulled 7 'Container image "registry.example.com/shop-api:2.5.0" already present on machine'
  event "$1" "$2" Normal Started 7 'Started container web'
  event "$1" "$2" Warning BackOff 23 "Back-off restarting failed container web in pod $2"
}

fail_to_pull() {
  local image=registry.example.com/transcode:7.0.0
  local why="failed to pull and unpack image \\\"$image\\\": failed to authorize: 401 Unauthorized"
  pod "$1" "$2" "$3" Pending False '{
    started: false, ready: false, restartCount: 0, imageID: "",
    state: {waiting: {reason: "ImagePullBackOff",
      message: "Back-off pulling image \"'"$image"'\": ErrImagePull: '"$why"'"}}}'
  event "$1" "$2" Normal Pulling 4 "Pulling image \"$image\""
  event "$1" "$2" Warning Failed 4 "Failed to pull image \"$image\": ${why//\\/}"
  event "$1" "$2" Warning BackOff 11 "Back-off pulling image \"$image\""
}

# pod NAMESPACE NAME NUMBER PHASE READY CONTAINER: CONTAINER is a jq object, laid over what all have in common.
pod() {
  kubectl get pod -n "$1" "$2" -o json | jq --arg now "$(now)" --arg phase "$4" --arg ready "$5" --arg number "$3" '
    .metadata as {$name, $namespace, $uid} | $name as $pod
    | (.spec.nodeName | sub("node-"; "10.244.") + "." + $number) as $ip
    | def condition($type; $status): {type: $type, status: $status, lastTransitionTime: $now}
        + if $status == "False" then {reason: "ContainersNotReady",
            message: "containers with unready status: [\([.spec.containers[].name] | join(" "))]"} else {} end;
    {status: {
      phase: $phase, startTime: $now, hostIP: (.spec.nodeName | sub("node-"; "192.0.2.1")),
      podIP: $ip, podIPs: [{$ip}],
      conditions: [condition("PodScheduled", "Initialized"; "True"), condition("ContainersReady", "Ready"; $ready)],
      containerStatuses: [.spec.containers[] | {name, image, imageID: .image, lastState: {}} + ('"$6"')]}}' |
    kubectl patch pod -n "$1" "$2" --subresource=status --field-manager=kubelet --type=merge --patch-file=/dev/stdin
}

# event NAMESPACE POD TYPE REASON COUNT MESSAGE
event() {
  kubectl get pod -n "$1" "$2" -o json | jq --arg now "$(now)" --arg type "$3" --arg reason "$4" \
    --argjson count "$5" --arg message "$6" '{
      apiVersion: "v1", kind: "Event",
      metadata: {namespace: .metadata.namespace, name: "\(.metadata.name).\($reason | ascii_downcase)"},
      involvedObject: {apiVersion: "v1", kind: "Pod", name: .metadata.name, namespace: .metadata.namespace,
        uid: .metadata.uid, resourceVersion: .metadata.resourceVersion,
        fieldPath: "spec.containers{\(.spec.containers[0].name)}"},
      type: $type, reason: $reason, message: $message, count: $count,
      firstTimestamp: .metadata.creationTimestamp, lastTimestamp: $now,
      source: {component: "kubelet", host: .spec.nodeName}, reportingComponent: "kubelet",
      reportingInstance: .spec.nodeName}' |
    kubectl create --field-manager=kubelet -f -
}

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
