// SPDX-License-Identifier: MIT
// Redis by each library that backends and runners of this form are written with:
//     const stream = await open('redis-6', 'redis://…');
//     await stream.subscribe(channel, (message) => …);  await stream.publish(channel, message);
import { Redis } from 'ioredis';

function ofIoredis(url) {
    const [said, heard] = [new Redis(url), new Redis(url)];
    return {
        publish: (channel, message) => said.publish(channel, message),
        subscribe(channel, hear) {
            heard.on('message', (from, message) => from === channel && hear(message));
            return heard.subscribe(channel);
        },
        close: () => Promise.all([said.quit(), heard.quit()]),
    };
}

async function ofNodeRedis(library, url) {
    const { createClient } = await import(library);
    const said = createClient({ url });
    const heard = said.duplicate();
    for (const client of [said, heard]) {
        client.on('error', (error) => console.error(`${library}: ${error}`));
        await client.connect();
    }
    return {
        publish: (channel, message) => said.publish(channel, message),
        subscribe: (channel, hear) => heard.subscribe(channel, hear),
        close: () => Promise.all([said.quit(), heard.quit()]),
    };
}

export function open(library, url) {
    return library === 'ioredis' ? ofIoredis(url) : ofNodeRedis(library, url);
}
