// SPDX-License-Identifier: MIT
// stdout: ^begun$
using System;
using System.Collections.Generic;

class Hog
{
    static void Main()
    {
        Console.WriteLine("begun");
        var hoard = new List<byte[]>();
        while (hoard.Count < 1 << 14)
        {
            var block = new byte[1 << 20];
            for (int i = 0; i < block.Length; i += 4096)
                block[i] = 1;
            hoard.Add(block);
        }
        Console.WriteLine("ran out of ideas");
    }
}
