#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// A runner of the code-execution form: takes jobs one at a time, runs them as they are,
// says their lines while they run, and then the result. Prints each message that it took.
//
//     runner.mjs BROKER STREAM LIBRARY [quiet]        quiet: says no lines
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import amqp from 'amqplib';
import { open } from './streams.mjs';

const RESULTS = 'code-execution.results';
const [broker, address, library, manner] = process.argv.slice(2);
const commands = { python: ['/usr/bin/python3', '-u', '-c'], nodejs: [process.execPath, '-e'] };

const stream = await open(library, address);
const connection = await amqp.connect(broker);
const channel = await connection.createChannel();
await channel.assertExchange('code-execution.jobs', 'topic', { durable: true });
await channel.assertExchange(RESULTS, 'topic', { durable: true });
await channel.assertQueue('jobs.all-languages', { durable: true });
for (const name of ['python', 'nodejs', 'go', 'rust', 'java'])
    await channel.bindQueue('jobs.all-languages', 'code-execution.jobs', `jobs.${name}`);
await channel.prefetch(1, false);

function source(job) {
    return job.source_code ?? job.url.slice(job.url.indexOf(',') + 1);
}

async function run(job) {
    const [program, ...words] = commands[job.language];
    const began = Date.now();
    const child = spawn(program, [...words, source(job)], { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = [];
    let output = '';
    for (const name of ['stdout', 'stderr']) {
        createInterface({ input: child[name] }).on('line', (line) => {
            const timestamp = new Date().toISOString();
            output += `${line}\n`;
            if (manner !== 'quiet')
                said.push(stream.publish(`execution:${job.job_id}`,
                    JSON.stringify({ job_id: job.job_id, line, stream: name, timestamp })));
        });
    }
    const code = await new Promise((done) => child.on('close', done));
    await Promise.all(said);
    return {
        job_id: job.job_id,
        workspace_id: job.workspace_id,
        output,
        ...(code !== 0 && { error: `exit status ${code}` }),
        exit_code: code === 0 ? 0 : 1,
        duration: Date.now() - began,
    };
}

async function take(message) {
    let job;
    try {
        job = JSON.parse(message.content.toString());
    } catch {
        channel.nack(message, false, false);
        return;
    }
    const { messageId, timestamp, deliveryMode, contentType } = message.properties;
    console.log(JSON.stringify({ job, key: message.fields.routingKey, messageId, timestamp, deliveryMode, contentType }));
    const result = await run(job);
    channel.publish(RESULTS, `results.${job.language}`, Buffer.from(JSON.stringify(result)),
        { contentType: 'application/json' });
    channel.ack(message);
}

await channel.consume('jobs.all-languages', take, { noAck: false });
console.log(JSON.stringify({ ready: true }));
