"""Shows what `scripts/bench` has measured: as a table, and as a chart."""

import importlib

from bench_ways import CORE, OCA, OURS

HEAD = ('rows', 'what', 'CPU ms a row', 'seconds', 'queries a row', 'calls a row', "times core's CPU")
COLORS = {OURS: '#017e84', CORE: '#714b67', OCA: '#b0b0b0'}


def show(rows):
    """Print the rows of the table for one size."""
    print(f'\n{HEAD[0]:>6}  {HEAD[1]:<25}{HEAD[2]:>14}{HEAD[3]:>9}{HEAD[4]:>15}{HEAD[5]:>13}{HEAD[6]:>18}')
    for row in rows:
        faster = f'{row["faster"]:.2f}' if row['faster'] else ''
        print(
            f'{row["size"]:>6}  {row["name"]:<25}{row["cpu"]:>14.2f}{row["seconds"]:>9.2f}{row["queries"]:>15.2f}'
            f'{row["calls"]:>13.0f}{faster:>18}'
        )
    print('For "again" the columns count the whole run.', flush=True)


def show_profile(entries):
    """Print what is left in the profile of our import: `[(share of all time, calls a row, function)]`."""
    print('\nMost time of their own in the import:')
    for share, calls, function in entries:
        print(f'{share:>7.1%}{calls:>10.1f} calls a row  {function}')


def draw(rows, path):
    """Draw the CPU time a row of the imports by size into a PNG file, if matplotlib is installed."""
    try:
        plt = importlib.import_module('matplotlib.pyplot')
    except ImportError:
        print('No chart: matplotlib is not installed.')
        return
    sizes = sorted({row['size'] for row in rows})
    names = [name for name in COLORS if any(row['name'] == name for row in rows)]
    figure, axes = plt.subplots(figsize=(7, 4))
    for place, name in enumerate(names):
        heights = [row['cpu'] for size in sizes for row in rows if (row['size'], row['name']) == (size, name)]
        width = 0.8 / len(names)
        bars = axes.bar([i + place * width for i in range(len(sizes))], heights, width, label=name, color=COLORS[name])
        axes.bar_label(bars, fmt='%.1f', fontsize=8)
    axes.set_xticks([i + 0.4 - 0.4 / len(names) for i in range(len(sizes))], [f'{size:,} rows' for size in sizes])
    axes.set_ylabel('CPU ms a row')
    axes.legend(frameon=False)
    axes.spines[['top', 'right']].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    print(f'The chart is in {path}.')
