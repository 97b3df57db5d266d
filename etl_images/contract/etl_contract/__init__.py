"""The words that Airflow and the stages share: task, dataset, result, errors."""
