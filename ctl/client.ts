/** How hastmonctl talks to hastmond. */
export { ControlFailure, call, connectControl } from '../daemon/control/call.js';
