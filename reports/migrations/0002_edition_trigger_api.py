from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('reports', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='edition',
            name='trigger',
            field=models.CharField(choices=[('page', 'a page'), ('api', 'the API'), ('schedule', 'a schedule')], max_length=10),
        ),
    ]
