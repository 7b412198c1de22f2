import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from 'react';

export type ToastKind = 'info' | 'success' | 'warning' | 'danger';

export interface ToastMessage {
  readonly text: string;
  readonly kind: ToastKind;
}

type Tell = (text: string, kind?: ToastKind) => void;

const TellContext = createContext<Tell>(() => {});
const MessageContext = createContext<ToastMessage | undefined>(undefined);
/** How long a message stays, in milliseconds. */
const SHOWN = 4000;

/** Holds the message of the moment; mounted by runApp. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const [message, setMessage] = useState<ToastMessage>();
  useEffect(() => {
    if (message === undefined) return;
    const timer = setTimeout(() => setMessage(undefined), SHOWN);
    return () => clearTimeout(timer);
  }, [message]);
  const tell = useCallback<Tell>((text, kind = 'info') => setMessage({ text, kind }), []);
  return (
    <TellContext value={tell}>
      <MessageContext value={message}>{children}</MessageContext>
    </TellContext>
  );
}

/** Says something in the footer for four seconds. */
export function useToast(): Tell {
  return useContext(TellContext);
}

/** What is to be said now; for the screen's footer. */
export function useToastMessage(): ToastMessage | undefined {
  return useContext(MessageContext);
}
