// SPDX-License-Identifier: MIT
// Lines over time, drawn by us: a picture whose label says its figures, and the
// same figures as a table for whoever opens it.
import { make, makeSvg, row, table } from './dom.js';

const WIDTH = 600;
const HEIGHT = 120;
const ROWS_MAX = 60;

export interface Line {
    name: string;
    values: (number | null)[];
}

export interface ChartData {
    times: number[]; /* of the values, Unix milliseconds, equally far apart */
    stepMs: number;
    steps: number; /* that the picture has room for, at least as many as there are values */
    lines: Line[];
}

const clock = (t: number): string => new Date(t).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

const known = (values: (number | null)[]): number[] => values.filter((value) => value !== null);

/* The next of 1, 2, 5, 10, 20 … so that the edge is a number one can read. */
function roundUp(value: number): number {
    const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
    return [1, 2, 5, 10].map((step) => step * power).find((edge) => edge >= value) ?? value;
}

/* The newest on the right edge, one step from the one before it. A value without
 * neighbours is a dot: a line of no length with round ends. */
function path(values: (number | null)[], steps: number, top: number): string {
    const step = WIDTH / (steps - 1);
    const left = WIDTH - (values.length - 1) * step;
    let drawn = '';
    let isDown = false;
    values.forEach((value, index) => {
        if (value !== null) {
            const at = `${(left + index * step).toFixed(1)} ${(HEIGHT - (value / top) * HEIGHT).toFixed(1)}`;
            drawn += isDown ? `L${at}` : `M${at}l0 0`;
        }
        isDown = value !== null;
    });
    return drawn;
}

export class Chart {
    readonly element: HTMLElement;
    private readonly svg = makeSvg('svg', { viewBox: `0 -2 ${WIDTH} ${HEIGHT + 4}`, preserveAspectRatio: 'none', role: 'img' });
    private readonly topLabel = make('span', { class: 'chart-top', 'aria-hidden': 'true' });
    private readonly ends = make('div', { class: 'chart-ends', 'aria-hidden': 'true' });
    private readonly legend = make('ul', { class: 'chart-legend' });
    private readonly details = make('details', {}, make('summary', {}, 'As a table'));
    private data: ChartData = { times: [], stepMs: 1, steps: 2, lines: [] };

    constructor(
        private readonly title: string,
        private readonly format: (value: number) => string,
        /* The upper edge is at least this. */
        private readonly floor: number,
    ) {
        const head = make('figcaption', {}, make('strong', {}, title), this.legend);
        const picture = make('div', { class: 'chart-picture' }, this.svg, this.topLabel);
        this.element = make('figure', { class: 'chart' }, head, picture, this.ends, this.details);
        this.details.addEventListener('toggle', () => this.fillTable());
    }

    set(data: ChartData): void {
        this.data = data;
        const top = roundUp(Math.max(this.floor, ...data.lines.flatMap(({ values }) => known(values))));
        this.topLabel.textContent = this.format(top);
        this.svg.replaceChildren(...data.lines.map(({ values }, index) =>
            makeSvg('path', { d: path(values, data.steps, top), class: `line-${index}` })));
        this.svg.setAttribute('aria-label', `${this.title}, ${this.inWords()}`);
        this.legend.replaceChildren(...data.lines.map((line, index) =>
            make('li', { class: `line-${index}` }, this.summary(line))));
        const last = data.times.at(-1);
        this.ends.replaceChildren(
            make('span', {}, last === undefined ? 'nothing yet' : clock(last - (data.steps - 1) * data.stepMs)),
            make('span', {}, last === undefined ? '' : clock(last)),
        );
        if (!this.details.contains(document.activeElement)) this.fillTable();
    }

    private summary({ name, values }: Line): string {
        const all = known(values);
        if (all.length === 0) return `${name}: none`;
        return `${name}: ${this.format(all.at(-1)!)}, at most ${this.format(Math.max(...all))}`;
    }

    private inWords(): string {
        const { times, lines } = this.data;
        if (times.length === 0) return 'nothing yet';
        return `${clock(times[0]!)} to ${clock(times.at(-1)!)}. ${lines.map((line) => this.summary(line)).join('. ')}`;
    }

    /* Of neighbours the highest, so that there are not too many rows. */
    private fillTable(): void {
        while (this.details.childElementCount > 1) this.details.lastElementChild!.remove();
        if (!this.details.open) return;
        const { times, lines } = this.data;
        const each = Math.max(1, Math.ceil(times.length / ROWS_MAX));
        const rows: HTMLTableRowElement[] = [];
        for (let at = 0; at < times.length; at += each) {
            const cells = lines.map(({ values }) => {
                const some = known(values.slice(at, at + each));
                return some.length > 0 ? this.format(Math.max(...some)) : '–';
            });
            rows.unshift(row(clock(times[at]!), ...cells));
        }
        this.details.append(table(`${this.title}, as a table`, ['From', ...lines.map(({ name }) => name)], rows));
    }
}
