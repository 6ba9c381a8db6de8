// SPDX-License-Identifier: MIT
// Chromium without a window, driven over the DevTools protocol.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { WebSocket } from './modules.mjs';

const WAIT_MS = 10_000;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/* CHROMIUM names another one. */
export function findProgram() {
    const names = process.env.CHROMIUM ? [process.env.CHROMIUM] : ['chromium', 'chromium-browser', 'google-chrome'];
    const folders = (process.env.PATH ?? '').split(delimiter);
    return names.flatMap((name) => (name.includes('/') ? [name] : folders.map((folder) => join(folder, name))))
        .find((path) => existsSync(path));
}

/* Runs inside the page: finds elements, also in shadow roots. */
const HELPERS = `
    window.$ = (selector) => {
        const search = (root) => {
            const found = root.querySelector(selector);
            if (found) return found;
            for (const element of root.querySelectorAll('*'))
                if (element.shadowRoot) {
                    const inside = search(element.shadowRoot);
                    if (inside) return inside;
                }
            return null;
        };
        return search(document);
    };
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) =>
        window.violations.push(event.effectiveDirective + ' ' + event.blockedURI + ' ' + event.sample));
`;

export class Page {
    constructor(browser, session) {
        Object.assign(this, { browser, session, errors: [] });
        browser.listen(session, (method, params) => this.onEvent(method, params));
    }

    onEvent(method, params) {
        if (method === 'Runtime.exceptionThrown')
            this.errors.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
        if (method === 'Log.entryAdded' && params.entry.level === 'error' && params.entry.source !== 'network')
            this.errors.push(params.entry.text);
        if (method === 'Page.javascriptDialogOpening') {
            this.asked = params.message;
            void this.call('Page.handleJavaScriptDialog', { accept: true });
        }
    }

    call(method, params = {}) {
        return this.browser.call(method, params, this.session);
    }

    async evaluate(expression) {
        const { result, exceptionDetails } = await this.call('Runtime.evaluate', {
            expression, awaitPromise: true, returnByValue: true,
        });
        if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
    }

    async open(url) {
        await this.call('Page.navigate', { url });
        await this.until(`document.body?.dataset.ready === 'yes'`, 'the page to be ready');
    }

    async until(expression, what = expression, wait = WAIT_MS) {
        for (const end = Date.now() + wait; Date.now() < end; await pause(20))
            if (await this.evaluate(expression).catch(() => false)) return;
        throw new Error(`waited in vain for ${what}`);
    }

    text(selector) {
        return this.evaluate(`$(${JSON.stringify(selector)}).textContent`);
    }

    async untilText(selector, words, wait = WAIT_MS) {
        const found = `$(${JSON.stringify(selector)}).textContent.includes(${JSON.stringify(words)})`;
        await this.until(found, `"${words}" in ${selector}`, wait).catch(async (error) => {
            throw new Error(`${error.message}; it holds "${(await this.text(selector)).slice(-300)}"`);
        });
    }

    /* As a hand does it: where the element is, if nothing covers it. */
    async click(selector) {
        const at = await this.evaluate(`(() => {
            const element = $(${JSON.stringify(selector)});
            element.scrollIntoView({ block: 'nearest' });
            const box = element.getBoundingClientRect();
            return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
        })()`);
        for (const type of ['mousePressed', 'mouseReleased'])
            await this.call('Input.dispatchMouseEvent', { type, ...at, button: 'left', clickCount: 1 });
    }

    async key(key, { control = false, shift = false, text = '' } = {}) {
        const codes = { Enter: 13, Tab: 9, Escape: 27, F6: 117, F2: 113, Delete: 46, End: 35, ArrowRight: 39, ArrowUp: 38 };
        const windowsVirtualKeyCode = codes[key] ?? key.toUpperCase().charCodeAt(0);
        const modifiers = (control ? 2 : 0) | (shift ? 8 : 0);
        const typed = control ? '' : text || (key === 'Enter' ? '\r' : key.length === 1 ? key : '');
        const event = { key, code: key, windowsVirtualKeyCode, modifiers };
        await this.call('Input.dispatchKeyEvent', { type: typed ? 'keyDown' : 'rawKeyDown', ...event, text: typed });
        await this.call('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
    }

    async type(text) {
        for (const char of text) await this.key(char === '\n' ? 'Enter' : char);
    }

    /* As an input method does: without keys. */
    insert(text) {
        return this.call('Input.insertText', { text });
    }

    size(width, height, mobile = false) {
        return this.call('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile });
    }

    async screenshot() {
        const { data } = await this.call('Page.captureScreenshot', { format: 'png' });
        return Buffer.from(data, 'base64');
    }

    async close() {
        await this.browser.call('Target.disposeBrowserContext', { browserContextId: this.context });
    }
}

export class Browser {
    static async start(program, ...more) {
        const browser = new Browser();
        browser.profile = mkdtempSync(join(tmpdir(), 'runnel-web-'));
        browser.process = spawn(program, [
            '--headless=new', '--remote-debugging-port=0', `--user-data-dir=${browser.profile}`,
            '--no-first-run', '--no-default-browser-check', '--disable-gpu', '--disable-dev-shm-usage',
            '--disable-background-networking', '--disable-component-update', '--disable-sync',
            ...more, ...(process.getuid() === 0 ? ['--no-sandbox'] : []), 'about:blank',
        ], { stdio: ['ignore', 'ignore', 'pipe'] });
        const address = await new Promise((found, failed) => {
            let said = '';
            const timer = setTimeout(() => failed(new Error(`the browser does not start: ${said}`)), 30_000);
            browser.process.stderr.on('data', (bytes) => {
                said += bytes;
                const match = /DevTools listening on (ws:\S+)/.exec(said);
                if (match) {
                    clearTimeout(timer);
                    found(match[1]);
                }
            });
            browser.process.on('exit', (status) => failed(new Error(`the browser ended (${status}): ${said}`)));
        });
        await browser.connect(address);
        return browser;
    }

    async connect(address) {
        this.last = 0;
        this.waiting = new Map();
        this.listeners = new Map();
        this.socket = new WebSocket(address, { perMessageDeflate: false });
        await new Promise((open, failed) => {
            this.socket.on('open', open);
            this.socket.on('error', failed);
        });
        this.socket.on('message', (text) => {
            const message = JSON.parse(text);
            if (!message.id) {
                this.listeners.get(message.sessionId)?.(message.method, message.params);
                return;
            }
            const { done, failed } = this.waiting.get(message.id);
            this.waiting.delete(message.id);
            if (message.error) failed(new Error(message.error.message));
            else done(message.result);
        });
    }

    listen(session, listener) {
        this.listeners.set(session, listener);
    }

    call(method, params = {}, sessionId = undefined) {
        const id = ++this.last;
        this.socket.send(JSON.stringify({ id, method, params, sessionId }));
        return new Promise((done, failed) => this.waiting.set(id, { done, failed }));
    }

    /* A visitor who was never here: nothing is stored. */
    async visitor() {
        const { browserContextId } = await this.call('Target.createBrowserContext');
        return this.tab(browserContextId);
    }

    /* Another tab of a visitor (page.context). */
    async tab(browserContextId) {
        const { targetId } = await this.call('Target.createTarget', { url: 'about:blank', browserContextId });
        const { sessionId } = await this.call('Target.attachToTarget', { targetId, flatten: true });
        const page = new Page(this, sessionId);
        page.context = browserContextId;
        for (const domain of ['Page', 'Runtime', 'Log']) await page.call(`${domain}.enable`);
        await page.call('Page.addScriptToEvaluateOnNewDocument', { source: HELPERS });
        await page.size(1280, 800);
        return page;
    }

    async stop() {
        const ended = new Promise((done) => this.process.on('exit', done));
        this.call('Browser.close').catch(() => undefined);
        const timer = setTimeout(() => this.process.kill('SIGKILL'), 5000);
        await ended;
        clearTimeout(timer);
        rmSync(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    }
}
