int main()
{
    volatile bool forever = true;
    while (forever) {
    }
}
