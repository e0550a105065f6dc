{{/* Names, labels, and what follows from several values at once. */}}

{{- define "typephoon.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Short enough for the longest suffix, "-operations". */}}
{{- define "typephoon.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "typephoon.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "typephoon.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "typephoon.selector" -}}
app.kubernetes.io/name: {{ include "typephoon.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "typephoon.labels" -}}
{{ include "typephoon.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "typephoon.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "typephoon.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "typephoon.fullname" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end -}}

{{/* The setting file: the operator's settings over what the chart needs. The server opens its operations port to the pod's network only
with a token. */}}
{{- define "typephoon.settings" -}}
{{- $operations := ternary "0.0.0.0" "127.0.0.1" (hasKey .Values.secrets.settings "operations.token") -}}
{{- $needed := dict "server" (dict "host" "0.0.0.0" "port" 8080)
      "operations" (dict "host" $operations "port" 9091) -}}
{{- mustMergeOverwrite $needed (deepCopy .Values.settings) | toYaml -}}
{{- end -}}

{{- define "typephoon.port" -}}
{{- (include "typephoon.settings" . | fromYaml).server.port | int -}}
{{- end -}}

{{/* "yes" if the operations port is open to the pod's network. */}}
{{- define "typephoon.operationsAreOpen" -}}
{{- if not (has (include "typephoon.settings" . | fromYaml).operations.host (list "127.0.0.1" "::1" "localhost")) }}yes{{ end -}}
{{- end -}}

{{- define "typephoon.operationsPort" -}}
{{- (include "typephoon.settings" . | fromYaml).operations.port | int -}}
{{- end -}}

{{/* "yes" if a setting file or an existing Secret configures the section: $ and the section's name. */}}
{{- define "typephoon.has" -}}
{{- $root := index . 0 -}}{{- $section := index . 1 -}}
{{- if hasKey $root.Values.settings $section -}}yes{{- end -}}
{{- range $path, $_ := $root.Values.secrets.settings -}}
{{- if hasPrefix (printf "%s." $section) $path -}}yes{{- end -}}
{{- end -}}
{{- end -}}

{{/* "yes" if pods share their state, so that there may be several. A secret file may say so, which templates cannot read. */}}
{{- define "typephoon.clustered" -}}
{{- if include "typephoon.has" (list . "amqp") -}}yes
{{- else if and .Values.secrets.file.name (gt (include "typephoon.atLeast" . | int) 1) -}}yes
{{- end -}}
{{- end -}}

{{/* The least number of pods. */}}
{{- define "typephoon.atLeast" -}}
{{- if .Values.autoscaling.enabled -}}{{ .Values.autoscaling.minReplicas }}{{- else -}}{{ .Values.replicas }}{{- end -}}
{{- end -}}

{{/* Seconds of `shutdown.drain`, rounded up. */}}
{{- define "typephoon.drain" -}}
{{- $shutdown := .Values.settings.shutdown | default dict -}}
{{- if hasKey $shutdown "drain" -}}{{ $shutdown.drain | float64 | ceil | int }}{{- else -}}20{{- end -}}
{{- end -}}

{{- define "typephoon.gracePeriod" -}}
{{- $least := add .Values.termination.preStopSeconds (include "typephoon.drain" .) -}}
{{- .Values.termination.gracePeriodSeconds | default (add $least 15) -}}
{{- end -}}

{{/* Routes that carry `game_id` in their query. */}}
{{- define "typephoon.racePaths" -}}
- /api/v1/game/ws
- /api/v1/game/countdown
- /api/v1/game/words
- /api/v1/game/players
- /api/v1/game/result
{{- end -}}
