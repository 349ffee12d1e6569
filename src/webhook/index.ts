export type { Notified, OAuthClient, WebhookReceiverOptions } from './options.js';
export { type ParsedDelivery, parseDelivery, type StartedDelivery, type StatusDelivery } from './parse-delivery.js';
export { createWebhookReceiver, type WebhookReceiver } from './receiver.js';
export type { EventFacts, WebhookCounts, WebhookEvent, WebhookResult } from './results.js';
