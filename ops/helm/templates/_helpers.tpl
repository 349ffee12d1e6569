{{- define "temporal-incode.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- /* Parameter: a dictionary with root and component. They never change, because selectors cannot. */ -}}
{{- define "temporal-incode.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- /* Labels of objects. Pods have none of the chart's version: it would start them again, and be a new version for the Worker Controller. */ -}}
{{- define "temporal-incode.labels" -}}
{{ include "temporal-incode.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end -}}

{{- define "temporal-incode.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- /* Variables of Temporal's library. Parameter: a dictionary with root and connected; the Worker Controller sets some of them itself. */ -}}
{{- define "temporal-incode.temporalEnv" -}}
{{- $temporal := .root.Values.temporal -}}
{{- if not .controlled }}
- { name: TEMPORAL_ADDRESS, value: {{ $temporal.address | quote }} }
- { name: TEMPORAL_NAMESPACE, value: {{ $temporal.namespace | quote }} }
{{- if or $temporal.certificateSecret.name $temporal.caSecret.name $temporal.tlsServerName }}
- { name: TEMPORAL_TLS, value: "true" }
{{- end }}
{{- with $temporal.tlsServerName }}
- { name: TEMPORAL_TLS_SERVER_NAME, value: {{ . | quote }} }
{{- end }}
{{- if $temporal.certificateSecret.name }}
- { name: TEMPORAL_TLS_CLIENT_CERT_PATH, value: /etc/temporal/tls/tls.crt }
- { name: TEMPORAL_TLS_CLIENT_KEY_PATH, value: /etc/temporal/tls/tls.key }
{{- end }}
{{- if $temporal.apiKeySecret.name }}
- { name: TEMPORAL_API_KEY_FILE, value: /run/secrets/incode/temporal-api-key }
{{- end }}
{{- end }}
{{- if $temporal.caSecret.name }}
- { name: TEMPORAL_TLS_SERVER_CA_CERT_PATH, value: /run/secrets/incode/temporal-ca }
{{- end }}
{{- end -}}

{{- define "temporal-incode.encryptionEnv" -}}
- { name: TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE, value: /run/secrets/incode/encryption-keys }
{{- if .Values.encryption.required }}
- { name: TEMPORAL_INCODE_REQUIRE_ENCRYPTION, value: "true" }
{{- end }}
{{- end -}}

{{- define "temporal-incode.userEnv" -}}
{{- range $name, $value := . }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end -}}

{{- define "temporal-incode.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "temporal-incode.fullname" .root }}-{{ .component }}
  labels: {{- include "temporal-incode.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ .values.podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels: {{- include "temporal-incode.selectorLabels" . | nindent 6 }}
{{- end -}}

{{- /* Parameter: as above, with port and, for metrics, metricsPort. */ -}}
{{- define "temporal-incode.networkPolicy" -}}
{{- $policy := .root.Values.networkPolicy -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "temporal-incode.fullname" .root }}-{{ .component }}
  labels: {{- include "temporal-incode.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{- include "temporal-incode.selectorLabels" . | nindent 6 }}
  policyTypes:
    - Ingress
    {{- if $policy.egress }}
    - Egress
    {{- end }}
  ingress:
    {{- if and .metricsPort $policy.metricsFrom }}
    - from: {{- toYaml $policy.metricsFrom | nindent 8 }}
      ports:
        - { protocol: TCP, port: {{ .metricsPort }} }
    {{- end }}
    {{- if .port }}
    - from: {{- toYaml .values.networkPolicy.from | nindent 8 }}
      ports:
        - { protocol: TCP, port: {{ .port }} }
    {{- end }}
  {{- with $policy.egress }}
  egress: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "temporal-incode.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "temporal-incode.fullname" .root }}-{{ .component }}
  labels: {{- include "temporal-incode.labels" . | nindent 4 }}
spec:
  selector: {{- include "temporal-incode.selectorLabels" . | nindent 4 }}
  ports:
    - { name: http, port: 80, targetPort: http }
{{- end -}}

{{- /* Parameter: a dictionary with root, component, values and, unless it is Exact, pathType. */ -}}
{{- define "temporal-incode.ingress" -}}
{{- $name := printf "%s-%s" (include "temporal-incode.fullname" .root) .component -}}
{{- with .values.ingress -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ $name }}
  labels: {{- include "temporal-incode.labels" $ | nindent 4 }}
  {{- with .annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with .className }}
  ingressClassName: {{ . }}
  {{- end }}
  tls:
    - hosts: [{{ .host | quote }}]
      secretName: {{ .tlsSecretName | default $name }}
  rules:
    - host: {{ .host | quote }}
      http:
        paths:
          {{- range .paths }}
          - path: {{ . }}
            pathType: {{ $.pathType | default "Exact" }}
            backend:
              service: { name: {{ $name }}, port: { name: http } }
          {{- end }}
{{- end -}}
{{- end -}}
