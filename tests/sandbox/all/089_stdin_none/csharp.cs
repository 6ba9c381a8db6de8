// SPDX-License-Identifier: MIT
using System;

class Input
{
    static void Main()
    {
        if (Console.ReadLine() == null)
            Console.WriteLine("end of input");
    }
}
