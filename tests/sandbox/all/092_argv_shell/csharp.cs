// SPDX-License-Identifier: MIT
using System;

class Arguments
{
    static void Main(string[] args)
    {
        foreach (string argument in args)
            Console.WriteLine("[" + argument + "]");
    }
}
