{{- /* The parameters of "temporal-incode.podSpec" for workers, as YAML. */ -}}
{{- define "temporal-incode.workerSecrets" -}}
{{- $incode := .Values.worker.incode -}}
- { name: {{ $incode.apiKeySecret.name }}, key: {{ $incode.apiKeySecret.key }}, path: api-key }
{{- if $incode.executiveEmail }}
- { name: {{ required "worker.incode.executivePasswordSecret.name is required with executiveEmail" $incode.executivePasswordSecret.name }}, key: {{ $incode.executivePasswordSecret.key }}, path: executive-password }
{{- end }}
{{ include "temporal-incode.commonSecrets" . }}
{{- if ne .Values.worker.versioning.mode "controller" }}
{{ include "temporal-incode.temporalApiKeySecret" . }}
{{- end }}
{{- end -}}

{{- /* As a file, because a new key is then used without a restart. The Worker Controller sets a variable instead. */ -}}
{{- define "temporal-incode.temporalApiKeySecret" -}}
{{- with .Values.temporal.apiKeySecret }}
{{- if .name }}
- { name: {{ .name }}, key: {{ .key }}, path: temporal-api-key }
{{- end }}
{{- end }}
{{- end -}}

{{- define "temporal-incode.commonSecrets" -}}
- { name: {{ .Values.encryption.secret.name }}, key: {{ .Values.encryption.secret.key }}, path: encryption-keys }
{{- with .Values.temporal.caSecret }}
{{- if .name }}
- { name: {{ .name }}, key: {{ .key }}, path: temporal-ca }
{{- end }}
{{- end }}
{{- end -}}

{{- define "temporal-incode.workerEnv" -}}
{{- $worker := .Values.worker -}}
- { name: INCODE_BASE_URL, value: {{ $worker.incode.baseUrl | quote }} }
- { name: INCODE_API_KEY_FILE, value: /run/secrets/incode/api-key }
{{- with $worker.incode.executiveEmail }}
- { name: INCODE_EXECUTIVE_EMAIL, value: {{ . | quote }} }
- { name: INCODE_EXECUTIVE_PASSWORD_FILE, value: /run/secrets/incode/executive-password }
{{- end }}
{{- include "temporal-incode.temporalEnv" (dict "root" . "controlled" (eq $worker.versioning.mode "controller")) }}
{{ include "temporal-incode.encryptionEnv" . }}
{{- if eq $worker.versioning.mode "manual" }}
- { name: WORKER_DEPLOYMENT_NAME, value: {{ $worker.versioning.deploymentName | quote }} }
- { name: WORKER_BUILD_ID, value: {{ required "worker.versioning.buildId is required with mode manual" $worker.versioning.buildId | quote }} }
{{- end }}
- { name: WORKER_SHUTDOWN_GRACE, value: {{ $worker.shutdownGrace | quote }} }
- { name: WORKER_METRICS_ADDRESS, value: "0.0.0.0:9464" }
{{- include "temporal-incode.userEnv" $worker.env }}
{{- end -}}

{{- define "temporal-incode.workerPodTemplate" -}}
{{- $worker := dict "root" . "component" "worker" "values" .Values.worker -}}
{{- $controlled := eq .Values.worker.versioning.mode "controller" -}}
metadata: {{- include "temporal-incode.podMetadata" $worker | nindent 2 }}
spec:
  {{- include "temporal-incode.podSpec" (merge $worker (dict
    "env" (include "temporal-incode.workerEnv" .)
    "secrets" (include "temporal-incode.workerSecrets" . | fromYamlArray)
    "health" "metrics"
    "ready" "/readyz"
    "ports" (list (dict "name" "metrics" "containerPort" 9464))
    "tls" (and .Values.temporal.certificateSecret.name (not $controlled)))) | nindent 2 }}
{{- end -}}
