{{- /*
The spec of a pod, the same for all components and for the Worker Controller. Parameter: a dictionary with
  root, component, values
  env         YAML of the variables
  secrets     list of { name, key, path }
  health      number or name of the port with /healthz and /readyz
  ready       path of the readiness probe
  ports       list of { name, containerPort }
  tls         mounts the client's certificate for Temporal
  temporary   size of the folder for temporary files, if it needs one
*/ -}}
{{- define "temporal-incode.podSpec" -}}
{{- $values := .values -}}
terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
# It does not call the Kubernetes API.
automountServiceAccountToken: false
{{- with $values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "temporal-incode.selectorLabels" . | nindent 8 }}
securityContext: {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
containers:
  - name: {{ .component }}
    image: {{ include "temporal-incode.image" .root | quote }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    securityContext: {{- toYaml .root.Values.securityContext | nindent 6 }}
    # The entry point of the image is the CLI itself. SIGTERM would not pass a shell or npx.
    args: [{{ .component }}]
    env: {{- .env | trim | nindent 6 }}
    ports: {{- toYaml .ports | nindent 6 }}
    resources: {{- toYaml $values.resources | nindent 6 }}
    livenessProbe:
      httpGet: { path: /healthz, port: {{ .health }} }
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    # No startup probe: it would start a container again because Temporal is down.
    readinessProbe:
      httpGet: { path: {{ .ready }}, port: {{ .health }} }
      periodSeconds: 5
      timeoutSeconds: 3
    {{- with $values.preStopSeconds }}
    lifecycle:
      preStop:
        # Requests come until every node knows that this pod is going.
        sleep: { seconds: {{ . }} }
    {{- end }}
    # Without subPath, which never shows that a secret has changed.
    volumeMounts:
      - { name: secrets, mountPath: /run/secrets/incode, readOnly: true }
      {{- if .tls }}
      - { name: temporal-tls, mountPath: /etc/temporal/tls, readOnly: true }
      {{- end }}
      {{- if .temporary }}
      - { name: temporary, mountPath: /tmp }
      {{- end }}
      {{- with $values.volumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: secrets
    projected:
      defaultMode: 0440
      sources:
        {{- range .secrets }}
        - secret: { name: {{ .name }}, items: [{ key: {{ .key }}, path: {{ .path }} }] }
        {{- end }}
  {{- if .tls }}
  - name: temporal-tls
    secret: { secretName: {{ .root.Values.temporal.certificateSecret.name }}, defaultMode: 0440 }
  {{- end }}
  {{- with .temporary }}
  - name: temporary
    emptyDir: { sizeLimit: {{ . }} }
  {{- end }}
  {{- with $values.volumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- /* Labels and annotations of pods. */ -}}
{{- define "temporal-incode.podMetadata" -}}
labels:
  {{- include "temporal-incode.selectorLabels" . | nindent 2 }}
  {{- with .values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .values.podAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
