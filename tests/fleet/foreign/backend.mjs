#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// A backend of the code-execution form: sends one job, hears its lines, waits for its
// result, and prints what came as JSON.
//
//     backend.mjs BROKER STREAM LIBRARY LANGUAGE SOURCE [ENTRY]
import { randomUUID } from 'node:crypto';
import amqp from 'amqplib';
import { open } from './streams.mjs';

const JOBS = 'code-execution.jobs';
const RESULTS = 'code-execution.results';
const [broker, address, library, language, source, entry] = process.argv.slice(2);

const job = {
    job_id: randomUUID(),
    workspace_id: 'web-editor',
    language,
    url: `data:text/plain;filename=${entry || 'main.py'},${source}`,
    ...(entry && { entry_point: entry }),
};

// What comes by the broker may be here before what Redis was told first: behind this comes nothing.
const LAST = 'the last';
const lines = [];
const channel = `execution:${job.job_id}`;
const stream = await open(library, address);
let isTold;
const told = new Promise((done) => { isTold = done; });
await stream.subscribe(channel, (message) => {
    if (message === LAST) isTold();
    else lines.push(JSON.parse(message));
});

const giving = await amqp.connect(broker);
const jobs = await giving.createChannel();
await jobs.assertExchange(JOBS, 'topic', { durable: true });
await jobs.assertExchange(RESULTS, 'topic', { durable: true });

const taking = await amqp.connect(broker);
const results = await taking.createChannel();
await results.assertExchange(RESULTS, 'topic', { durable: true });
await results.assertQueue('results.all', { durable: true });
await results.bindQueue('results.all', RESULTS, 'results.*');

const heard = new Promise((done) => {
    results.consume('results.all', (message) => {
        const result = JSON.parse(message.content.toString());
        results.ack(message);
        if (result.job_id === job.job_id) {
            const { contentType, messageId } = message.properties;
            done({ result, key: message.fields.routingKey, contentType, messageId });
        }
    }, { noAck: false });
});

jobs.publish(JOBS, `jobs.${language}`, Buffer.from(JSON.stringify(job)), {
    persistent: true,
    messageId: job.job_id,
    timestamp: Date.now(),
});
console.log(JSON.stringify({ sent: job.job_id }));

const end = await heard;
await stream.publish(channel, LAST);
await told;
console.log(JSON.stringify({ ...end, lines }));
await stream.close();
await taking.close();
await giving.close();
