// One stream for all tabs of a browser, which opens no more than six to a server.
"use strict";
const channel = new BroadcastChannel("hdash");
const stream = new EventSource("/_hdash/events");
stream.onmessage = (event) => channel.postMessage(JSON.parse(event.data));
