// Ports of this machine: free ones, and those at which somebody listens.
import net from "node:net";

// Has a server listen, and returns its port.
export function listen(server) {
    return new Promise((resolve, reject) => {
        server.on("error", reject);
        server.listen(0, "127.0.0.1", () => resolve(server.address().port));
    });
}

export async function freePort() {
    const server = net.createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    return port;
}

// Waits until somebody listens there, for half a minute at most.
export async function listens(port) {
    for (let tries = 0; tries < 300; tries += 1) {
        const connected = await new Promise((resolve) => {
            const socket = net.connect(port, "127.0.0.1", () => resolve(true));
            socket.on("error", () => resolve(false));
            socket.on("connect", () => socket.destroy());
        });
        if (connected) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`nothing listens at ${port}`);
}
