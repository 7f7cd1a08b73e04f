"""The closed loop: collect, learn, and collect again with the better agent, measured on tasks that are held out."""

import pathei


def main() -> None:
    """Run two small rounds that grow a memory. learn="both" tunes a model as well, in a few minutes."""
    settings = {"rounds": 2, "tasks": 12, "proposed": 10, "explored": 5, "held_out": 10, "simulations": 200}
    result = pathei.run_loop("runs/examples/loop", learn="memory", workers=0, **settings)
    for number in result.rounds:
        for row in result.rows(number):
            reached = result.success(row, number)
            if reached is not None:
                print(f"round {number}  {row:14} {reached.value:.0%} [{reached.low:.0%}, {reached.high:.0%}]")


if __name__ == "__main__":
    main()
