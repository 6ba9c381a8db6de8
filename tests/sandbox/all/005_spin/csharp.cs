// SPDX-License-Identifier: MIT
class Spin
{
    static void Main()
    {
        while (true) { }
    }
}
