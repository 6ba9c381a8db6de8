using System;

class Program
{
    static void Main()
    {
        Console.WriteLine("Hello, World!");
        Console.Write("Enter your name: ");
        string name = Console.ReadLine();
        Console.WriteLine($"Hello, {name}!");
        int sum = 0;
        for (int i = 1; i <= 10; i++)
        {
            sum += i;
        }
        Console.WriteLine($"Sum of numbers from 1 to 10: {sum}");
    }
}
