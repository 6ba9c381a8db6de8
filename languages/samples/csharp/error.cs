class Program
{
    static void Main()
    {
        int number = "three";
    }
}
