// SPDX-License-Identifier: MIT
class Sleep
{
    static void Main()
    {
        System.Threading.Thread.Sleep(1000000000);
    }
}
