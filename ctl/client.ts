/** How hastmonctl talks to hastmond. */
export { ControlFailure, call, connectControl, Unreached } from '../daemon/control/call.js';
