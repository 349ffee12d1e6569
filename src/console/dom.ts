// Elements are made here, and text becomes text nodes only: nothing that the gateway answers is ever parsed as HTML.

export type Child = Node | string | number | null | undefined | false | readonly Child[];

export type Attributes = Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>;

/** Makes an element. A function is a listener for the event of that name; `false`, `null` and `undefined` leave an attribute out. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...nodesOf(children));
  return element;
}

/**
 * Makes the children of an element equal to the given ones and keeps every node that is equal already, so that focus and selection stay.
 * Only for content without listeners: a kept node keeps its own.
 */
export function update(parent: Element, ...children: Child[]): void {
  const next = nodesOf(children);
  const old = [...parent.childNodes];
  next.forEach((node, at) => {
    const before = old[at];
    if (before === undefined) parent.append(node);
    else if (!become(before, node)) before.replaceWith(node);
  });
  for (const extra of old.slice(next.length)) extra.remove();
}

/** @returns false if the node is of another kind and has to be replaced */
function become(node: Node, model: Node): boolean {
  if (node.nodeName !== model.nodeName) return false;
  if (!(node instanceof Element && model instanceof Element)) {
    if (node.nodeValue !== model.nodeValue) node.nodeValue = model.nodeValue;
    return true;
  }
  if (keyOf(node) !== keyOf(model)) return false;
  for (const { name } of [...node.attributes]) {
    // The user opens and closes details.
    if (!model.hasAttribute(name) && name !== 'open') node.removeAttribute(name);
  }
  for (const { name, value } of model.attributes) {
    if (name !== 'style' && node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
  // The policy for styles allows properties only.
  if (node instanceof HTMLElement && model instanceof HTMLElement && node.style.cssText !== model.style.cssText) {
    node.style.cssText = model.style.cssText;
  }
  update(node, ...model.childNodes);
  return true;
}

/** A row or card with another key is about something else. */
function keyOf(element: Element): string | null {
  return element.getAttribute('data-key');
}

function nodesOf(children: readonly Child[]): Node[] {
  return children.flatMap((child) => {
    if (child === null || child === undefined || child === false) return [];
    if (Array.isArray(child)) return nodesOf(child);
    return [child instanceof Node ? child : document.createTextNode(String(child))];
  });
}
