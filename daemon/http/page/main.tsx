/** Begins the page: one store, drawn again when it knows more and as time goes by. */
import { render } from 'preact';
import { createStore } from './feed/store.js';
import { App } from './view/app.js';

/** Ages are drawn anew this often; what comes is drawn at once. */
const TICK_MS = 1000;
/** What comes close together is drawn once. */
const GATHER_MS = 30;

const root = document.getElementById('page');
if (root !== null) {
  let planned = false;
  // Not by animation frames: the title and what is read aloud are wanted in the background, too.
  const draw = (): void => {
    planned = false;
    render(<App store={store} />, root);
  };
  const store = createStore(() => {
    if (!planned) setTimeout(draw, GATHER_MS);
    planned = true;
  });
  setInterval(draw, TICK_MS);
  draw();
}
