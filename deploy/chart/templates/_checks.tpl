{{/* Values that cannot work are refused here, before Kubernetes sees any of them. */}}
{{- define "typephoon.checks" -}}
{{- $several := or (gt (int .Values.replicas) 1) .Values.autoscaling.enabled -}}
{{- $file := .Values.secrets.file.name -}}
{{- if not $file -}}
{{- range $service := list "db" "redis" "amqp" -}}
{{- if and $several (not (include "typephoon.has" (list $ $service))) -}}
{{- fail (printf "several pods need settings.db, settings.redis and settings.amqp, but settings.%s is missing: set it, or replicas to 1 and autoscaling.enabled to false" $service) -}}
{{- end -}}
{{- if and (include "typephoon.has" (list $ "amqp")) (not (include "typephoon.has" (list $ $service))) -}}
{{- fail (printf "settings.amqp is for several pods, and these need settings.%s too" $service) -}}
{{- end -}}
{{- end -}}
{{- if and $several (not (hasKey .Values.secrets.settings "token.private_key")) -}}
{{- fail "several pods must sign tokens with the same key: name an existing Secret in secrets.settings.\"token.private_key\"" -}}
{{- end -}}
{{- end -}}
{{- include "typephoon.checkSecrets" . -}}
{{- include "typephoon.checkPorts" . -}}
{{- include "typephoon.checkPods" . -}}
{{- include "typephoon.checkRoutes" . -}}
{{- end -}}

{{- define "typephoon.checkSecrets" -}}
{{- range $path := list "db.password" "db.url" "redis.url" "amqp.password" "amqp.url" "token.private_key" "google.client_secret" "operations.token" -}}
{{- $parts := splitList "." $path -}}
{{- $section := index $.Values.settings (index $parts 0) | default dict -}}
{{- if index $section (index $parts 1) -}}
{{- fail (printf "settings.%s is a secret, and a ConfigMap is no place for it: name an existing Secret in secrets.settings.%q" $path $path) -}}
{{- end -}}
{{- end -}}
{{- if hasKey .Values.settings "data_dir" -}}
{{- fail "settings.data_dir is where the chart mounts the volume: leave it out" -}}
{{- end -}}
{{- if and (hasKey .Values.secrets.settings "token.private_key") (not (hasKey .Values.secrets.settings "token.public_key")) (not (.Values.settings.token | default dict).public_key) -}}
{{- fail "secrets.settings.\"token.private_key\" needs its public key: set secrets.settings.\"token.public_key\" or settings.token.public_key" -}}
{{- end -}}
{{- end -}}

{{- define "typephoon.checkPorts" -}}
{{- $port := include "typephoon.port" . | int -}}
{{- $operations := include "typephoon.operationsPort" . | int -}}
{{- if or (eq $port 0) (eq $operations 0) -}}
{{- fail "settings.server.port and settings.operations.port must be fixed: 0 lets the system choose, and no Service would find it" -}}
{{- end -}}
{{- if eq $port $operations -}}
{{- fail (printf "settings.server.port and settings.operations.port are both %d" $port) -}}
{{- end -}}
{{- if not (hasKey .Values.secrets.settings "operations.token") -}}
{{- if .Values.serviceMonitor.enabled -}}
{{- fail "serviceMonitor.enabled needs a token for the operations port: name an existing Secret in secrets.settings.\"operations.token\"" -}}
{{- end -}}
{{- if and (include "typephoon.operationsAreOpen" .) (not .Values.secrets.file.name) -}}
{{- fail "settings.operations.host opens a port that can close games: name an existing Secret with its token in secrets.settings.\"operations.token\"" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "typephoon.checkPods" -}}
{{- with .Values.autoscaling -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- fail (printf "autoscaling.minReplicas (%d) is above autoscaling.maxReplicas (%d)" (int .minReplicas) (int .maxReplicas)) -}}
{{- end -}}
{{- if and .enabled (not .targetCPUUtilizationPercentage) (not .metrics) -}}
{{- fail "autoscaling.enabled needs autoscaling.targetCPUUtilizationPercentage or autoscaling.metrics" -}}
{{- end -}}
{{- end -}}
{{- $stay := .Values.podDisruptionBudget.minAvailable -}}
{{- if and .Values.podDisruptionBudget.enabled (not (kindIs "string" $stay)) (gt (int $stay) 0) (ge (int $stay) (include "typephoon.atLeast" . | int)) -}}
{{- fail (printf "podDisruptionBudget.minAvailable (%d) leaves no pod that may go, so that no node could be drained: it must be below the number of pods (%s)" (int $stay) (include "typephoon.atLeast" .)) -}}
{{- end -}}
{{- if and (eq (toString .Values.rollout.maxSurge) "0") (eq (toString .Values.rollout.maxUnavailable) "0") -}}
{{- fail "rollout.maxSurge and rollout.maxUnavailable are both 0: no pod could ever be replaced" -}}
{{- end -}}
{{- $least := add .Values.termination.preStopSeconds (include "typephoon.drain" .) 5 | int -}}
{{- if lt (include "typephoon.gracePeriod" . | int) $least -}}
{{- fail (printf "termination.gracePeriodSeconds (%d) would kill pods in their drain: preStopSeconds, settings.shutdown.drain and 5 seconds for the rest are %d" (int .Values.termination.gracePeriodSeconds) $least) -}}
{{- end -}}
{{- end -}}

{{- define "typephoon.checkRoutes" -}}
{{- if and .Values.ingress.enabled .Values.gateway.enabled -}}
{{- fail "ingress.enabled and gateway.enabled exclude each other" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- fail "ingress.enabled needs ingress.hosts" -}}
{{- end -}}
{{- if and .Values.gateway.enabled (not .Values.gateway.parentRefs) -}}
{{- fail "gateway.enabled needs gateway.parentRefs" -}}
{{- end -}}
{{- $by := .Values.placement.by -}}
{{- if and (has $by (list "ingress-nginx" "haproxy")) (not .Values.ingress.enabled) -}}
{{- fail (printf "placement.by %s needs ingress.enabled" $by) -}}
{{- end -}}
{{- if and (eq $by "envoy-gateway") (not .Values.gateway.enabled) -}}
{{- fail "placement.by envoy-gateway needs gateway.enabled" -}}
{{- end -}}
{{- if and (eq $by "istio") (not .Values.gateway.enabled) (not .Values.ingress.enabled) -}}
{{- fail "placement.by istio needs gateway.enabled or ingress.enabled" -}}
{{- end -}}
{{- if and .Values.prometheusRule.enabled (not .Values.serviceMonitor.enabled) -}}
{{- fail "prometheusRule.enabled needs serviceMonitor.enabled, whose job the alerts watch" -}}
{{- end -}}
{{- end -}}
