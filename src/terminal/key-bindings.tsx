import { useInput, usePaste } from 'ink';
import { createContext, type ReactNode, useContext, useLayoutEffect, useState, useSyncExternalStore } from 'react';
import { type Binding, type KeyLayer, KeyRegistry, type Scope } from './key-registry.ts';
import { type Key, keyFrom, pasteKey } from './keys.ts';

export type { Binding, Scope } from './key-registry.ts';

const RegistryContext = createContext<KeyRegistry | undefined>(undefined);
const DialogContext = createContext<object | undefined>(undefined);

/** The one place where keys come in; everything that listens to keys is inside of it. `onError` is told what a binding threw. */
export function KeyProvider({ children, onError }: { children: ReactNode; onError?: (error: unknown) => void }) {
  const [registry] = useState(() => new KeyRegistry());
  useLayoutEffect(() => {
    registry.onError = onError;
  }, [registry, onError]);
  return (
    <RegistryContext value={registry}>
      {/* First, so that a key has been routed before any component of others (ink-select-input) sees it. */}
      <KeyListener registry={registry} />
      {children}
    </RegistryContext>
  );
}

function KeyListener({ registry }: { registry: KeyRegistry }) {
  const dispatch = (key: Key | undefined) => {
    if (key !== undefined) registry.guard(() => registry.dispatch(key));
  };
  useInput((input, key) => dispatch(keyFrom(input, key)));
  usePaste((text) => dispatch(pasteKey(text)));
  return null;
}

/** The registry of the surrounding KeyProvider; for footers, menus and tests. */
export function useKeyRegistry(): KeyRegistry {
  const registry = useContext(RegistryContext);
  if (registry === undefined) throw new Error('useKeys needs a KeyProvider around it');
  return registry;
}

export interface KeysOptions {
  /** Default 'screen'. */
  readonly scope?: Scope;
  /** Default true. */
  readonly active?: boolean;
  /** Gets keys that no binding of this component took; true when it had a use for the key. */
  readonly onOther?: (key: Key) => boolean;
}

/**
 * Binds keys while the component is shown. Controls are asked before dialogs, screens and what is global, later components
 * before earlier ones; the first that has the key gets it alone. With scope 'modal' nothing below gets any key but ctrl+c.
 */
export function useKeys(bindings: readonly Binding[], options: KeysOptions = {}): void {
  const { scope = 'screen', active = true, onOther } = options;
  const registry = useKeyRegistry();
  const surrounding = useContext(DialogContext);
  // Taken while rendering, where parents come before their children; effects run the other way round.
  const [own] = useState(() => ({ order: registry.nextOrder() }));
  const opens = active && scope === 'modal' && surrounding === undefined;
  const modal = scope === 'modal' ? (surrounding ?? own) : surrounding;

  useLayoutEffect(() => {
    if (active) registry.set(own, { scope, order: own.order, modal, bindings, onOther });
    else registry.delete(own);
  });
  useLayoutEffect(() => () => registry.delete(own), [registry, own]);
  useLayoutEffect(() => {
    if (!opens) return;
    registry.openDialog(own, own.order);
    return () => registry.closeDialog(own);
  }, [registry, own, opens]);
}

/** What it holds gets all keys, as long as it is shown. */
export function DialogKeys({ children }: { children: ReactNode }) {
  const registry = useKeyRegistry();
  const [own] = useState(() => ({ order: registry.nextOrder() }));
  useLayoutEffect(() => {
    registry.openDialog(own, own.order);
    return () => registry.closeDialog(own);
  }, [registry, own]);
  return <DialogContext value={own}>{children}</DialogContext>;
}

/** Layers that get keys now, those asked first in front. */
export function useReachableKeys(): readonly KeyLayer[] {
  const registry = useKeyRegistry();
  return useSyncExternalStore(registry.subscribe, registry.reachable, registry.reachable);
}

/** True while a dialog keeps keys from the component that asks. */
export function useKeysBlocked(): boolean {
  const registry = useKeyRegistry();
  const surrounding = useContext(DialogContext);
  const blocked = () => registry.dialog !== surrounding;
  return useSyncExternalStore(registry.subscribe, blocked, blocked);
}
