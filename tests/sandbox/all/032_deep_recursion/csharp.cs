// SPDX-License-Identifier: MIT
// expect: failed killed_by_signal
// stderr: (StackOverflowException|Stack overflow)
using System;

class Deep
{
    static long Deeper(long depth)
    {
        return Deeper(depth + 1) + 1;
    }

    static void Main()
    {
        Console.WriteLine(Deeper(0) + "came back");
    }
}
