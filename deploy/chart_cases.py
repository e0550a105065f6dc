"""The cases of chart_test.py: values, and what comes out of them.

A path is `Kind/suffix of the name:path inside`; `settings.` stands for the setting file in the ConfigMap. `None` says that
there is nothing, `...` that there is something.
"""


def merged(one, other):
    """Two mappings in one, key by key."""
    both = dict(one)
    for key, value in other.items():
        is_section = isinstance(value, dict) and isinstance(both.get(key), dict)
        both[key] = merged(both[key], value) if is_section else value
    return both


KEYS = {
    "token.private_key": {"name": "keys", "key": "private"},
    "token.public_key": {"name": "keys", "key": "public"},
}
PODS = {"replicas": 3, "settings": {"db": {}, "redis": {}, "amqp": {}}, "secrets": {"settings": KEYS}}
INGRESS = {"ingress": {"enabled": True, "hosts": ["play.example.org"]}}
GATEWAY = {"gateway": {"enabled": True, "parentRefs": [{"name": "public"}], "hostnames": ["play.example.org"]}}
TOKEN = {"secrets": {"settings": {"operations.token": {"name": "ops", "key": "t"}}}}
MONITOR = {"serviceMonitor": {"enabled": True}, **TOKEN}


def pods(values=None):
    """Three pods, and further values."""
    return merged(PODS, values or {})


POD = "Deployment/:spec.template.spec"
SERVER = f"{POD}.containers[0]"
IMAGE = f"{SERVER}.image"
CASES = [
    # One server.
    ("one server keeps its records", {}, {"PersistentVolumeClaim/": ..., "Deployment/:spec.strategy.type": "Recreate",
     f"{POD}.volumes[1].persistentVolumeClaim.claimName": "rel-typephoon-api", "Deployment/:spec.replicas": 1}),
    ("a claim outlives the release", {},
     {"PersistentVolumeClaim/:metadata.annotations['helm.sh/resource-policy']": "keep"}),
    ("records in an existing claim", {"persistence": {"existingClaim": "old"}}, {"PersistentVolumeClaim/": None,
     f"{POD}.volumes[1].persistentVolumeClaim.claimName": "old"}),
    ("no persistence", {"persistence": {"enabled": False}}, {"PersistentVolumeClaim/": None, f"{POD}.volumes[1].emptyDir": {}}),
    ("size and class of the claim", {"persistence": {"size": "5Gi", "storageClass": "fast"}},
     {"PersistentVolumeClaim/:spec.resources.requests.storage": "5Gi", "PersistentVolumeClaim/:spec.storageClassName": "fast"}),
    ("the default class is not named", {}, {"PersistentVolumeClaim/:spec.storageClassName": None}),
    ("one server with a database still has a claim", {"settings": {"db": {"host": "pg"}}}, {"PersistentVolumeClaim/": ...,
     "Deployment/:spec.strategy.type": "Recreate"}),
    ("one server has no budget", {}, {"PodDisruptionBudget/": None}),
    # Several.
    ("several pods keep nothing", pods(), {"PersistentVolumeClaim/": None, f"{POD}.volumes[1].emptyDir": {},
     "Deployment/:spec.replicas": 3}),
    ("several pods are replaced one by one", pods(), {"Deployment/:spec.strategy.type": "RollingUpdate",
     "Deployment/:spec.strategy.rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}, "Deployment/:spec.minReadySeconds": 5}),
    ("another rollout", pods({"rollout": {"maxSurge": "50%", "maxUnavailable": 1}}),
     {"Deployment/:spec.strategy.rollingUpdate": {"maxSurge": "50%", "maxUnavailable": 1}}),
    ("services by secret addresses", {"replicas": 2, "secrets": {"settings": merged(KEYS, {
        f"{it}.url": {"name": "urls", "key": it} for it in ("db", "redis", "amqp")})}},
     {"Deployment/:spec.strategy.type": "RollingUpdate"}),
    ("services in a secret file", {"replicas": 2, "secrets": {"file": {"name": "sealed"}}},
     {"Deployment/:spec.strategy.type": "RollingUpdate", f"{SERVER}.args[2]": "-sc",
      f"{POD}.volumes[1].secret.secretName": "sealed", f"{SERVER}.volumeMounts[1].readOnly": True}),
    ("another key of the secret file", {"secrets": {"file": {"name": "sealed", "key": "tp.yaml"}}},
     {f"{POD}.volumes[1].secret.items": [{"key": "tp.yaml", "path": "secret.yaml"}]}),
    ("a budget for several", pods(), {"PodDisruptionBudget/:spec.maxUnavailable": 1, "PodDisruptionBudget/:spec.minAvailable": None}),
    ("a budget of those that stay", pods({"podDisruptionBudget": {"minAvailable": 2}}),
     {"PodDisruptionBudget/:spec.minAvailable": 2, "PodDisruptionBudget/:spec.maxUnavailable": None}),
    ("a budget in percent", pods({"podDisruptionBudget": {"minAvailable": "50%"}}), {"PodDisruptionBudget/:spec.minAvailable": "50%"}),
    ("no budget", pods({"podDisruptionBudget": {"enabled": False}}), {"PodDisruptionBudget/": None}),
    ("an empty section switches a service on", {"replicas": 2, "settings": {"db": None, "redis": None, "amqp": None},
     "secrets": {"settings": KEYS}}, {"Deployment/:spec.strategy.type": "RollingUpdate", "ConfigMap/:settings.amqp": ...}),
    # Settings.
    ("settings are the setting file", {"settings": {"game": {"player_limit": 8}}},
     {"ConfigMap/:settings.game.player_limit": 8, f"{SERVER}.args": ["-c", "/etc/typephoon/setting.yaml", "--init"]}),
    ("large numbers stay whole", {"settings": {"token": {"refresh_duration": 2592000}, "limits": {"sockets": 1000000}}},
     {"ConfigMap/:settings.token.refresh_duration": 2592000, "ConfigMap/:settings.limits.sockets": 1000000}),
    ("fractions stay", {"settings": {"game": {"lobby_countdown": 2.5}}}, {"ConfigMap/:settings.game.lobby_countdown": 2.5}),
    ("lists stay", {"settings": {"cors": {"allow_origins": ["https://a"]}}}, {"ConfigMap/:settings.cors.allow_origins": ["https://a"]}),
    ("the operations port is for the pod alone", {}, {"ConfigMap/:settings.operations": {"host": "127.0.0.1", "port": 9091}}),
    ("with a token the operations port is open to the pod's network", TOKEN,
     {"ConfigMap/:settings.operations": {"host": "0.0.0.0", "port": 9091}}),
    ("another operations port", {"settings": {"operations": {"port": 9999}}, **TOKEN}, {f"{SERVER}.ports[1].containerPort": 9999,
     "ConfigMap/:settings.operations.host": "0.0.0.0"}),
    ("another port", {"settings": {"server": {"port": 8081}}}, {f"{SERVER}.ports[0].containerPort": 8081}),
    ("names of queues in files of old", pods({"settings": {"amqp": {"game_start_fanout_exchange": "x"}, "logger": {"version": 1}}}),
     {"ConfigMap/:settings.amqp.game_start_fanout_exchange": "x", "ConfigMap/:settings.logger.version": 1}),
    ("settings of modules", {"settings": {"handlers": {"bots": {"players": 5}, "mine": {"a": 1}}}},
     {"ConfigMap/:settings.handlers.mine.a": 1}),
    ("a secret is a variable", {"secrets": {"settings": {"db.password": {"name": "pg", "key": "pw"}}}},
     {f"{SERVER}.env[3]": {"name": "TP_DB__PASSWORD", "valueFrom": {"secretKeyRef": {"name": "pg", "key": "pw"}}}}),
    ("the pod's name is the server's", {}, {f"{SERVER}.env[0].valueFrom.fieldRef.fieldPath": "metadata.name",
     f"{SERVER}.env[0].name": "SERVER_NAME"}),
    ("the level of the log", {"logLevel": "info,sqlx=warn"}, {f"{SERVER}.env[1].value": "info,sqlx=warn"}),
    ("no migration", {"init": False}, {f"{SERVER}.args": ["-c", "/etc/typephoon/setting.yaml"]}),
    ("further variables", {"extraEnv": [{"name": "A", "value": "b"}]}, {f"{SERVER}.env[3].name": "A"}),
    ("further volumes", {"extraVolumes": [{"name": "words", "configMap": {"name": "words"}}],
     "extraVolumeMounts": [{"name": "words", "mountPath": "/words"}]}, {f"{SERVER}.volumeMounts[3].mountPath": "/words"}),
    # The image and the pod.
    ("the image has the chart's version", {}, {IMAGE: "ghcr.io/typephoon/typephoon-api:0.2.0"}),
    ("another tag", {"image": {"tag": "main"}}, {IMAGE: "ghcr.io/typephoon/typephoon-api:main"}),
    ("a digest", {"image": {"repository": "r/t", "tag": "x", "digest": "sha256:" + "a" * 64}}, {IMAGE: "r/t@sha256:" + "a" * 64}),
    ("secrets of the registry", {"image": {"pullSecrets": [{"name": "reg"}], "pullPolicy": "Always"}},
     {f"{POD}.imagePullSecrets[0].name": "reg", f"{SERVER}.imagePullPolicy": "Always", "Pod/-test:spec.imagePullSecrets[0].name": "reg"}),
    ("restricted by default", {}, {f"{POD}.securityContext.runAsNonRoot": True, f"{SERVER}.securityContext.readOnlyRootFilesystem": True,
     f"{SERVER}.securityContext.capabilities.drop": ["ALL"], f"{SERVER}.securityContext.allowPrivilegeEscalation": False,
     f"{POD}.securityContext.seccompProfile.type": "RuntimeDefault"}),
    ("no token of Kubernetes, no variables of Services", {}, {f"{POD}.automountServiceAccountToken": False,
     f"{POD}.enableServiceLinks": False}),
    ("another user", {"podSecurityContext": {"runAsUser": 2000}}, {f"{POD}.securityContext.runAsUser": 2000,
     f"{POD}.securityContext.fsGroup": 10001}),
    ("resources", {"resources": {"requests": {"cpu": "1"}}}, {f"{SERVER}.resources.requests": {"cpu": "1", "memory": "128Mi"}}),
    ("labels and annotations", {"commonLabels": {"team": "play"}, "podLabels": {"tier": "web"}, "podAnnotations": {"a": "b"}},
     {"Service/:metadata.labels.team": "play", "Deployment/:spec.template.metadata.labels.tier": "web",
      "Deployment/:spec.template.metadata.annotations.a": "b", "Deployment/:spec.selector.matchLabels.team": None}),
    ("where pods run", {"nodeSelector": {"disk": "ssd"}, "tolerations": [{"operator": "Exists"}], "priorityClassName": "high",
     "affinity": {"nodeAffinity": {}}}, {f"{POD}.nodeSelector.disk": "ssd", f"{POD}.tolerations[0].operator": "Exists",
     f"{POD}.priorityClassName": "high", f"{POD}.affinity.nodeAffinity": {}}),
    ("pods are spread over zones and hosts", pods(), {f"{POD}.topologySpreadConstraints[0].topologyKey": "topology.kubernetes.io/zone",
     f"{POD}.topologySpreadConstraints[1].matchLabelKeys": ["pod-template-hash"]}),
    ("another spread", pods({"topologySpreadConstraints": [{"topologyKey": "rack", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule"}]}),
     {f"{POD}.topologySpreadConstraints[0].topologyKey": "rack", f"{POD}.topologySpreadConstraints[1]": None}),
    ("a ServiceAccount of its own", {"serviceAccount": {"name": "runner", "annotations": {"a": "b"}}},
     {f"{POD}.serviceAccountName": "runner"}),
    ("a ServiceAccount that is there", {"serviceAccount": {"create": False, "name": "theirs"}}, {"ServiceAccount/": None,
     f"{POD}.serviceAccountName": "theirs"}),
    ("the default ServiceAccount", {"serviceAccount": {"create": False}}, {f"{POD}.serviceAccountName": "default"}),
    ("another name", {"fullnameOverride": "typing"}, {"Deployment/:metadata.name": "typing", f"{POD}.serviceAccountName": "typing"}),
    ("another name of the application", {"nameOverride": "typing"}, {"Deployment/:metadata.name": "rel-typing"}),
    ("a history", {"revisionHistoryLimit": 2}, {"Deployment/:spec.revisionHistoryLimit": 2}),
    # Start and end.
    ("probes by the port for players", {}, {f"{SERVER}.startupProbe.httpGet": {"path": "/healthcheck/alive", "port": "http"},
     f"{SERVER}.livenessProbe.httpGet": {"path": "/healthcheck/alive", "port": "http"}}),
    ("three probes", TOKEN, {f"{SERVER}.startupProbe.httpGet": {"path": "/healthcheck/alive", "port": "operations"},
     f"{SERVER}.livenessProbe.httpGet": {"path": "/healthcheck/alive", "port": "operations"},
     f"{SERVER}.readinessProbe.httpGet": {"path": "/healthcheck/ready", "port": "http"}}),
    ("other probes", {"probes": {"startup": {"failureThreshold": 9}, "liveness": {"timeoutSeconds": 9}, "readiness": {"periodSeconds": 9}}},
     {f"{SERVER}.startupProbe.failureThreshold": 9, f"{SERVER}.livenessProbe.timeoutSeconds": 9, f"{SERVER}.readinessProbe.periodSeconds": 9}),
    ("the grace fits the drain", {}, {f"{POD}.terminationGracePeriodSeconds": 40, f"{SERVER}.lifecycle.preStop.sleep.seconds": 5}),
    ("the grace follows the drain", {"settings": {"shutdown": {"drain": 59.5}}}, {f"{POD}.terminationGracePeriodSeconds": 80,
     "ConfigMap/:settings.shutdown.drain": 59.5}),
    ("a longer grace", {"termination": {"gracePeriodSeconds": 300}}, {f"{POD}.terminationGracePeriodSeconds": 300}),
    ("no pause before the end", {"termination": {"preStopSeconds": 0}}, {f"{SERVER}.lifecycle": None,
     f"{POD}.terminationGracePeriodSeconds": 35}),
    # Ways in.
    ("a Service", {"service": {"type": "LoadBalancer", "port": 8000, "annotations": {"a": "b"}}}, {"Service/:spec.type": "LoadBalancer",
     "Service/:spec.ports[0].port": 8000, "Service/-race": None, "Service/-operations": None, "Service/:metadata.annotations.a": "b"}),
    ("no way in by default", {}, {"Ingress/": None, "HTTPRoute/": None}),
    ("an Ingress", INGRESS, {"Ingress/:spec.rules[0].host": "play.example.org", "Ingress/:spec.rules[0].http.paths[0].path": "/",
     "Ingress/-race": None, "Ingress/:spec.ingressClassName": None}),
    ("class, TLS, annotations and paths", merged(INGRESS, {"ingress": {"className": "haproxy", "annotations": {"a": "b"},
     "paths": ["/api/v1"], "tls": [{"hosts": ["play.example.org"], "secretName": "tls"}]}}),
     {"Ingress/:spec.ingressClassName": "haproxy", "Ingress/:spec.tls[0].secretName": "tls", "Ingress/:metadata.annotations.a": "b",
      "Ingress/:spec.rules[0].http.paths[0].path": "/api/v1"}),
    ("two hosts", merged(INGRESS, {"ingress": {"hosts": ["a.org", "b.org"]}}), {"Ingress/:spec.rules[1].host": "b.org"}),
    ("placement by HAProxy", merged(pods(INGRESS), {"placement": {"by": "haproxy"}}),
     {"Ingress/-race:metadata.annotations": {"haproxy.org/load-balance": "url_param game_id"}, "Service/-race": ...,
      "Ingress/-race:spec.rules[0].http.paths[0]": {"path": "/api/v1/game/ws", "pathType": "Exact",
      "backend": {"service": {"name": "rel-typephoon-api-race", "port": {"name": "http"}}}}, "Ingress/:metadata.annotations": None}),
    ("placement by ingress-nginx", merged(pods(INGRESS), {"placement": {"by": "ingress-nginx"}}),
     {"Ingress/-race:metadata.annotations": {"nginx.ingress.kubernetes.io/upstream-hash-by": "$arg_game_id"}}),
    ("placement keeps annotations and TLS", merged(pods(INGRESS), {"placement": {"by": "haproxy"}, "ingress": {
     "annotations": {"a": "b"}, "className": "c", "tls": [{"hosts": ["play.example.org"]}]}}),
     {"Ingress/-race:metadata.annotations.a": "b", "Ingress/-race:spec.tls": ..., "Ingress/-race:spec.ingressClassName": "c"}),
    ("an HTTPRoute", GATEWAY, {"HTTPRoute/:spec.parentRefs": [{"name": "public"}], "HTTPRoute/:spec.hostnames": ["play.example.org"],
     "HTTPRoute/-race": None, "Ingress/": None}),
    ("an HTTPRoute for some paths", merged(GATEWAY, {"gateway": {"paths": ["/api/v1"], "annotations": {"a": "b"}}}),
     {"HTTPRoute/:spec.rules[0].matches": [{"path": {"type": "PathPrefix", "value": "/api/v1"}}], "HTTPRoute/:metadata.annotations.a": "b"}),
    ("placement by Envoy Gateway", merged(pods(GATEWAY), {"placement": {"by": "envoy-gateway"}}),
     {"BackendTrafficPolicy/-race:spec.targetRefs[0].name": "rel-typephoon-api-race", "HTTPRoute/-race:spec.rules[0].backendRefs":
      [{"name": "rel-typephoon-api-race", "port": 80}], "HTTPRoute/-race:spec.rules[0].matches[4].path.value": "/api/v1/game/result"}),
    ("placement by Istio", merged(pods(GATEWAY), {"placement": {"by": "istio"}}),
     {"DestinationRule/-race:spec.host": "rel-typephoon-api-race.play.svc.cluster.local", "BackendTrafficPolicy/-race": None}),
    # Load, network, monitoring.
    ("a number of pods by load", pods({"autoscaling": {"enabled": True}}), {"HorizontalPodAutoscaler/:spec.minReplicas": 2,
     "HorizontalPodAutoscaler/:spec.metrics[0].resource.target.averageUtilization": 70, "Deployment/:spec.replicas": None,
     "HorizontalPodAutoscaler/:spec.behavior.scaleDown.stabilizationWindowSeconds": 600, "PodDisruptionBudget/": ...}),
    ("by another figure", pods({"autoscaling": {"enabled": True, "targetCPUUtilizationPercentage": 0, "metrics": [
     {"type": "Pods", "pods": {"metric": {"name": "sockets"}, "target": {"type": "AverageValue", "averageValue": "5000"}}}]}}),
     {"HorizontalPodAutoscaler/:spec.metrics[0].type": "Pods", "HorizontalPodAutoscaler/:spec.metrics[1]": None}),
    ("the operations port is for monitoring alone", {}, {"NetworkPolicy/:spec.ingress[0].ports": [{"port": "http"}],
     "NetworkPolicy/:spec.ingress[0].from": None, "NetworkPolicy/:spec.ingress[1].ports": [{"port": "operations"}],
     "NetworkPolicy/:spec.ingress[1].from[0].namespaceSelector.matchExpressions[0].values": ["monitoring"]}),
    ("other namespaces, and players by the proxy alone", {"networkPolicy": {"monitoringNamespaces": ["a", "b"], "from": [{"podSelector": {}}]}},
     {"NetworkPolicy/:spec.ingress[0].from": [{"podSelector": {}}],
      "NetworkPolicy/:spec.ingress[1].from[0].namespaceSelector.matchExpressions[0].values": ["a", "b"]}),
    ("no namespace may monitor", {"networkPolicy": {"monitoringNamespaces": []}}, {"NetworkPolicy/:spec.ingress[1]": None}),
    ("no NetworkPolicy", {"networkPolicy": {"enabled": False}}, {"NetworkPolicy/": None}),
    ("a Service for monitoring", MONITOR, {"Service/-operations:spec.clusterIP": "None",
     "Service/-operations:spec.publishNotReadyAddresses": True}),
    ("a ServiceMonitor with the token", merged(MONITOR, {"serviceMonitor": {"labels": {"release": "p"}, "interval": "5s"}}),
     {"ServiceMonitor/:spec.endpoints[0].interval": "5s",
     "ServiceMonitor/:spec.endpoints[0].authorization.credentials": {"name": "ops", "key": "t"}, "ServiceMonitor/:metadata.labels.release": "p"}),
    ("alerts", merged(MONITOR, {"prometheusRule": {"enabled": True, "alertLabels": {"team": "play"}, "labels": {"release": "p"}}}),
     {"PrometheusRule/:spec.groups[0].rules[0].expr": 'absent(up{namespace="play",job="rel-typephoon-api-operations"} == 1)',
      "PrometheusRule/:spec.groups[0].rules[0].labels": {"severity": "critical", "team": "play"},
      "PrometheusRule/:spec.groups[1].rules[0].annotations.summary": "{{ $labels.pod }} does not answer on its operations port.",
      "PrometheusRule/:spec.groups[4].rules[0].record": "pod:typephoon_relay_latency_seconds:rate5m",
      "PrometheusRule/:spec.groups[4].rules[0].labels": None}),
    ("helm test asks the Service", {}, {"Pod/-test:spec.containers[0].args": ["health", "--at", "rel-typephoon-api:80"],
     "Pod/-test:spec.restartPolicy": "Never"}),
    ("all at once", merged(pods(merged(INGRESS, TOKEN)), {"placement": {"by": "haproxy"}, "autoscaling": {"enabled": True}, "serviceMonitor": {
     "enabled": True}, "prometheusRule": {"enabled": True}, "global": {"region": "eu"}}), {"Service/-race": ..., "Service/-operations": ...}),
]

REFUSED = [
    ("several pods without services", {"replicas": 2}, "several pods need settings.db, settings.redis and settings.amqp, but settings.db"),
    ("several pods without Redis", {"replicas": 3, "settings": {"db": {}, "amqp": {}}}, "but settings.redis is missing"),
    ("load without services", {"autoscaling": {"enabled": True}}, "several pods need"),
    ("RabbitMQ alone", {"settings": {"amqp": {}}}, "settings.amqp is for several pods, and these need settings.db too"),
    ("several pods without keys", PODS | {"secrets": {}}, "must sign tokens with the same key"),
    ("half a pair of keys", PODS | {"secrets": {"settings": {"token.private_key": KEYS["token.private_key"]}}}, "needs its public key"),
    ("a password in a ConfigMap", {"settings": {"db": {"password": "x"}}}, "settings.db.password is a secret"),
    ("a secret address in a ConfigMap", {"settings": {"db": {"url": "postgres://u:p@h/d"}}}, "settings.db.url is a secret"),
    ("a key in a ConfigMap", {"settings": {"token": {"private_key": "x"}}}, "settings.token.private_key is a secret"),
    ("another data directory", {"settings": {"data_dir": "/x"}}, "settings.data_dir is where the chart mounts the volume"),
    ("no fixed port", {"settings": {"server": {"port": 0}}}, "must be fixed"),
    ("one port twice", {"settings": {"operations": {"port": 8080}}}, "are both 8080"),
    ("fewer at most than at least", pods({"autoscaling": {"enabled": True, "minReplicas": 5, "maxReplicas": 3}}), "is above autoscaling.maxReplicas (3)"),
    ("load of no figure", pods({"autoscaling": {"enabled": True, "targetCPUUtilizationPercentage": 0}}), "autoscaling.enabled needs"),
    ("a budget that blocks", pods({"podDisruptionBudget": {"minAvailable": 3}}), "leaves no pod that may go"),
    ("an update that cannot begin", pods({"rollout": {"maxSurge": 0}}), "no pod could ever be replaced"),
    ("a grace below the drain", {"termination": {"gracePeriodSeconds": 10}}, "would kill pods in their drain"),
    ("two ways in", merged(INGRESS, GATEWAY), "exclude each other"),
    ("an Ingress for no host", {"ingress": {"enabled": True}}, "ingress.enabled needs ingress.hosts"),
    ("an HTTPRoute without a Gateway", {"gateway": {"enabled": True}}, "gateway.enabled needs gateway.parentRefs"),
    ("placement without an Ingress", pods({"placement": {"by": "haproxy"}}), "placement.by haproxy needs ingress.enabled"),
    ("placement without a Gateway", merged(pods(INGRESS), {"placement": {"by": "envoy-gateway"}}), "needs gateway.enabled"),
    ("placement without a way in", pods({"placement": {"by": "istio"}}), "placement.by istio needs"),
    ("a ServiceMonitor without a token", {"serviceMonitor": {"enabled": True}}, "serviceMonitor.enabled needs a token"),
    ("an open operations port without a token", {"settings": {"operations": {"host": "0.0.0.0"}}}, "opens a port that can close games"),
    ("alerts about nothing", {"prometheusRule": {"enabled": True}}, "needs serviceMonitor.enabled"),
    # By the schema.
    ("an unknown value", {"replicaCount": 2}, "replicaCount"),
    ("an unknown setting", {"settings": {"game": {"lobby_cuntdown": 5}}}, "lobby_cuntdown"),
    ("a text for a number", {"settings": {"game": {"player_limit": "many"}}}, "player_limit"),
    ("no player at all", {"settings": {"game": {"player_limit": 0}}}, "player_limit"),
    ("no pod at all", {"replicas": 0}, "replicas"),
    ("a digest that is none", {"image": {"digest": "latest"}}, "digest"),
    ("an unknown proxy", {"placement": {"by": "magic"}}, "placement"),
    ("a secret without its key", {"secrets": {"settings": {"db.password": {"name": "pg"}}}}, "key"),
    ("a path without a slash", merged(INGRESS, {"ingress": {"paths": ["api"]}}), "paths"),
    ("a ServiceMonitor of no interval", merged(MONITOR, {"serviceMonitor": {"interval": "often"}}), "interval"),
]
